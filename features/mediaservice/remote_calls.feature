@needs-remote
Feature: Remote calls
  The cloud SIP user agent takes calls for an application: they are announced, and wait for what the application does.

  @MS-newRemoteCall @MS-newRemoteCall-callId @MS-newRemoteCall-destinationUri @MS-newRemoteCall-sourceUser
  @MS-newRemoteCall-codec @MS-newRemoteCall-remoteRtpIp @MS-newRemoteCall-remoteRtpPort
  @MS-newRemoteCall-telephoneEventPayloadType @MS-newRemoteCall-once @MS-newRemoteCall-waits
  @MS-newRemoteCall-sessionReferenceId @MS-hangupcall-before-answer @MS-hangupcall-before-answer-status
  @MS-unknown-replyId-refused @MS-session-completed
  Scenario: A call is announced, and refused as busy when the application hangs up
    When a caller calls the user agent
    Then newRemoteCall announces the call                                   [MS-newRemoteCall]
    And its callId is the Call-ID of the INVITE                             [MS-newRemoteCall-callId]
    And its destinationUri is what the caller dialled                       [MS-newRemoteCall-destinationUri]
    And its sourceUser is the caller's number                               [MS-newRemoteCall-sourceUser]
    And its codec is one that the caller offers                             [MS-newRemoteCall-codec]
    And its remoteRtpIp is the address of the caller's sound                [MS-newRemoteCall-remoteRtpIp]
    And its remoteRtpPort is the port of the caller's sound                 [MS-newRemoteCall-remoteRtpPort]
    And its telephoneEventPayloadType is the one of the caller's keys       [MS-newRemoteCall-telephoneEventPayloadType]
    When hangupcall is sent with a replyId that never was
    And hangupcall is sent for the call
    Then the call is refused                                                [MS-hangupcall-before-answer]
    And it is refused with 486 or 600                                       [MS-hangupcall-before-answer-status]
    And the replyId that never was is refused, and the other is not         [MS-unknown-replyId-refused]
    And nobody answered the call                                            [MS-newRemoteCall-waits]
    And the session of the call is completed                                [MS-session-completed]
    And the sessionReferenceId comes back                                   [MS-newRemoteCall-sessionReferenceId]
    And the call was announced once                                         [MS-newRemoteCall-once]

  @MS-sendremotecallringback-rings @MS-sendremotecallringback-status @MS-answerremotecall-answers
  @MS-answerremotecall-codec-PCMU @MS-answerremotecall-receiveIp @MS-answerremotecall-receivePort
  @MS-answerremotecall-telephoneEventPayloadType @MS-answerremotecall-sessionReferenceId
  @MS-newRemoteCall-replyId-accepted @MS-hangupcall-after-answer @MS-success-true
  @MS-session-completed @MS-session-completed-not-early
  Scenario: The application lets a caller hear ringing, answers with its device, and hangs up
    When a caller calls the user agent
    And sendremotecallringback is sent for the call
    Then the caller hears ringing                                           [MS-sendremotecallringback-rings]
    And the ringing is 180 or 183                                           [MS-sendremotecallringback-status]
    When answerremotecall is sent for the call, with a device that takes PCMU
    Then the application has answered the call                              [MS-answerremotecall-answers]
    And the answer has the codec PCMU                                       [MS-answerremotecall-codec-PCMU]
    And the answer has the receiveIp of the device                          [MS-answerremotecall-receiveIp]
    And the answer has the receivePort of the device                        [MS-answerremotecall-receivePort]
    And the answer has the telephoneEventPayloadType of the device          [MS-answerremotecall-telephoneEventPayloadType]
    And the replyId of newRemoteCall was accepted                           [MS-newRemoteCall-replyId-accepted]
    When hangupcall is sent for the call
    Then the caller is hung up by the application                           [MS-hangupcall-after-answer]
    And what was carried out was answered with success true                 [MS-success-true]
    And the session of the call is completed                                [MS-session-completed]
    And the session is completed, and not before                            [MS-session-completed-not-early]
    And the sessionReferenceId comes back                                   [MS-answerremotecall-sessionReferenceId]

  @MS-sendremotecallringbackjwt-same @MS-answerremotecalljwt-same @MS-answerremotecall-codec-PCMA
  @MS-hangupcalljwt-same @MS-sessionReferenceId-not-invented
  @contract
  Scenario: The twins of the operations do the same
    Given no sessionReferenceId is given
    When a caller calls the user agent
    And sendremotecallringbackjwt is sent for the call
    Then the caller hears ringing                                           [MS-sendremotecallringbackjwt-same]
    When answerremotecalljwt is sent for the call, with a device that takes PCMA
    Then the application has answered the call                              [MS-answerremotecalljwt-same]
    And the answer has the codec PCMA                                       [MS-answerremotecall-codec-PCMA]
    When hangupcalljwt is sent for the call
    Then the caller is hung up by the application                           [MS-hangupcalljwt-same]
    And no sessionReferenceId comes                                         [MS-sessionReferenceId-not-invented]

  @needs-srtp @MS-newRemoteCall-crypto @MS-answerremotecall-crypto @contract
  Scenario: Crypto attributes go both ways
    When a caller with crypto calls the user agent
    Then newRemoteCall lists the crypto that the caller offers              [MS-newRemoteCall-crypto]
    When answerremotecall is sent for the call, with a device that takes PCMA and has crypto
    Then the answer has the crypto of the device                            [MS-answerremotecall-crypto]

  @MS-sendremotecallringback-replyId @MS-answerremotecall-replyId @MS-hangupcall-replyId
  @MS-sessionId-distinct @MS-traceId-distinct
  Scenario: Of two calls, an operation is for the one whose replyId it names
    When a caller calls the user agent
    And a caller calls the user agent
    And sendremotecallringback is sent for the first call
    And answerremotecall is sent for the first call, with a device that takes PCMA
    And hangupcall is sent for the second call
    Then the first call rang, and the second did not                        [MS-sendremotecallringback-replyId]
    And the first call was answered, and the second was not                 [MS-answerremotecall-replyId]
    And the second call is over, and the first is not                       [MS-hangupcall-replyId]
    And the two calls have different sessionIds                             [MS-sessionId-distinct]
    And the two calls have different traceIds                               [MS-traceId-distinct]
