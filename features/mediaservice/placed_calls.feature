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
  Scenario: A call is placed with the codec that is asked for, also by the twin
    Given a phone bob that refuses with 486 Busy Here
    And a phone carol that refuses with 486 Busy Here
    When placeremotecalljwt is sent to call bob, with a device that takes PCMU
    Then bob is called as it was asked for                                  [MS-placeremotecalljwt-same]
    And bob is offered the codec PCMU                                       [MS-placeremotecall-codec-PCMU]
    When placeremotecall is sent to call carol, with a device that takes GSM
    Then carol is offered the codec GSM                                     [MS-placeremotecall-codec-GSM]

  @needs-remote @needs-srtp @MS-placeremotecall-crypto
  Scenario: A call is placed with the crypto of the device
    Given a phone bob that refuses with 486 Busy Here
    When placeremotecall is sent to call bob, with a device that takes PCMA and has crypto
    Then bob is offered the crypto of the device                            [MS-placeremotecall-crypto]
