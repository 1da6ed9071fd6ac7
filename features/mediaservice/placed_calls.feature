Feature: Placed calls
  An application has the platform call somebody: for a device of its own, or for the IVR.

  @needs-remote @MS-placeremotecall-destinationUri @MS-placeremotecall-sourceUser @MS-placeremotecall-codec-PCMA
  @MS-placeremotecall-receiveIp @MS-placeremotecall-receivePort @MS-placeremotecall-telephoneEventPayloadType
  @MS-placeremotecall-callAnswered @MS-placeremotecall-callbackBaseUrl @MS-replyId-accepted @MS-hangupcall-outgoing
  @MS-session-completed-once @MS-session-completed-last @MS-placeremotecall-sessionReferenceId
  Scenario: A call is placed for a device, answered, and hung up by the application
    Given a phone bob that rings
    When placeremotecall is sent to call bob, with a device that takes PCMA
    Then bob is called at the address that was given                        [MS-placeremotecall-destinationUri]
    And bob sees the sourceUser that was given                              [MS-placeremotecall-sourceUser]
    And bob is offered the codec PCMA                                       [MS-placeremotecall-codec-PCMA]
    And bob is offered the receiveIp of the device                          [MS-placeremotecall-receiveIp]
    And bob is offered the receivePort of the device                        [MS-placeremotecall-receivePort]
    And bob is offered the telephoneEventPayloadType of the device          [MS-placeremotecall-telephoneEventPayloadType]
    When bob answers
    Then callAnswered comes when bob has answered, and not before           [MS-placeremotecall-callAnswered]
    When hangupcall is sent with the replyId of callAnswered
    Then the replyId of callAnswered was accepted                           [MS-replyId-accepted]
    And bob is hung up by it                                                [MS-hangupcall-outgoing]
    And sessionCompleted comes, and comes once                              [MS-session-completed-once]
    And no other callback of the session follows                            [MS-session-completed-last]
    And the sessionReferenceId of the operation comes back                  [MS-placeremotecall-sessionReferenceId]
    And it comes below the callbackBaseUrl that was given                   [MS-placeremotecall-callbackBaseUrl]

  @needs-remote @MS-placeremotecall-codec-PCMU @MS-placeremotecall-codec-GSM @MS-placeremotecalljwt-same
  @contract
  Scenario: A call is placed with the codec that is asked for, also by the twin
    Given a phone bob that refuses with 486 Busy Here
    And a phone carol that refuses with 486 Busy Here
    When placeremotecalljwt is sent to call bob, with a device that takes PCMU
    Then bob is called as it was asked for                                  [MS-placeremotecalljwt-same]
    And bob is offered the codec PCMU                                       [MS-placeremotecall-codec-PCMU]
    When placeremotecall is sent to call carol, with a device that takes GSM
    Then carol is offered the codec GSM                                     [MS-placeremotecall-codec-GSM]

  @needs-remote @needs-srtp @MS-placeremotecall-crypto @contract
  Scenario: A call is placed with the crypto of the device
    Given a phone bob that refuses with 486 Busy Here
    When placeremotecall is sent to call bob, with a device that takes PCMA and has crypto
    Then bob is offered the crypto of the device                            [MS-placeremotecall-crypto]

  @needs-ivr @MS-placeivrcall-destAddr @MS-placeivrcall-sipFrom @MS-placeivrcall-displayName
  @MS-placeivrcall-sipDiversion @MS-placeivrcall-sipDiversionParameters @MS-placeivrcall-sipDiversion-default
  @MS-placeivrcall-xHeaders @MS-placeivrcall-xHeaders-list @MS-placeivrcall-pHeaders @MS-placeivrcall-pHeaders-list
  @MS-placeivrcall-contactParameters @MS-placeivrcall-contactUserParameters @MS-placeivrcall-callerPrivacy
  @MS-placeivrcall-callerPrivacy-form @MS-placeivrcall-callAnswered @MS-placeivrcall-getIvrCommand
  @MS-placeivrcall-sessionReferenceId @MS-placeivrcall-refused @contract
  Scenario: A call is placed for the IVR with the headers that are asked for, and a second one for a hidden caller
    Given a phone bob that rings
    And a phone carol that refuses with 486 Busy Here
    When placeivrcall is sent to call bob with
      | sipFrom                | "46700100401"                                                    |
      | displayName            | "Donald Duck"                                                    |
      | sipDiversion           | "46700100402"                                                    |
      | sipDiversionParameters | {"reason": "user-busy", "counter": "2"}                          |
      | xHeaders               | {"X-Ringtrue-One": "alpha", "X-Ringtrue-Two": ["beta", "gamma"]} |
      | pHeaders               | {"P-Ringtrue-One": "delta", "P-Ringtrue-Two": ["eta", "theta"]}  |
      | contactParameters      | {"ringtrue-line": "7"}                                           |
      | contactUserParameters  | {"ringtrue-group": "9"}                                          |
    Then bob is called at the address that was given                        [MS-placeivrcall-destAddr]
    And bob's INVITE has the From user 46700100401                          [MS-placeivrcall-sipFrom]
    And bob's INVITE has the From display name Donald Duck                  [MS-placeivrcall-displayName]
    And bob's INVITE has the Diversion user 46700100402                     [MS-placeivrcall-sipDiversion]
    And bob's INVITE has the Diversion parameters reason=user-busy and counter=2  [MS-placeivrcall-sipDiversionParameters]
    And bob's INVITE has the header X-Ringtrue-One: alpha                   [MS-placeivrcall-xHeaders]
    And bob's INVITE has X-Ringtrue-Two twice: beta and gamma               [MS-placeivrcall-xHeaders-list]
    And bob's INVITE has the header P-Ringtrue-One: delta                   [MS-placeivrcall-pHeaders]
    And bob's INVITE has P-Ringtrue-Two twice: eta and theta                [MS-placeivrcall-pHeaders-list]
    And bob's INVITE has the Contact parameter ringtrue-line=7              [MS-placeivrcall-contactParameters]
    And bob's INVITE has the Contact user-part parameter ringtrue-group=9   [MS-placeivrcall-contactUserParameters]
    When bob answers
    Then callAnswered comes when bob has answered, and not before           [MS-placeivrcall-callAnswered]
    And getIvrCommand comes when bob has answered, and not before           [MS-placeivrcall-getIvrCommand]
    And the sessionReferenceId of the operation comes back                  [MS-placeivrcall-sessionReferenceId]
    When placeivrcall is sent to call carol with
      | sipFrom       | "46700100401" |
      | callerPrivacy | true          |
    Then carol does not see the number 46700100401, which bob sees          [MS-placeivrcall-callerPrivacy]
    And carol's INVITE asks for privacy in a form of RFC 3323               [MS-placeivrcall-callerPrivacy-form]
    And carol's INVITE has no Diversion, but bob's has one                  [MS-placeivrcall-sipDiversion-default]
    And carol, who refuses, gets neither callAnswered nor getIvrCommand     [MS-placeivrcall-refused]

  @needs-ivr @MS-placeivrcall-maxRingTime @MS-placeivrcall-maxRingTime-cancel @MS-placeivrcall-not-before-answer
  @contract
  Scenario: A placed call that nobody answers is given up after maxRingTime
    Given a phone bob that waits
    When placeivrcall is sent to call bob with
      | maxRingTime | 1 |
    And bob rings
    Then the attempt to reach bob ends after 1 second                       [MS-placeivrcall-maxRingTime]
    And it ends with CANCEL                                                 [MS-placeivrcall-maxRingTime-cancel]
    And neither callAnswered nor getIvrCommand came while bob rang          [MS-placeivrcall-not-before-answer]
