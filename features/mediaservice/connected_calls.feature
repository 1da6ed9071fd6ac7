@needs-callbacks @needs-sip
Feature: Connected calls
  A caller is connected with a destination, somebody hangs up, and the answer to callEvent says what becomes of the other.

  @MS-newCall-action-call @MS-newCall-call-destAddr @MS-callNotify @MS-callNotify-ringing @MS-callNotify-user
  @MS-callNotify-remoteUser @MS-callEvent
  @MS-callNotify-sipCallId @MS-callAnswered-on-answer @MS-callAnswered-callingPartyNumber
  @MS-callAnswered-remotePartyNumber @MS-callAnswered-participants-differ @MS-callAnswered-codec-only-httpcall
  @MS-monitoringParticipant-false @MS-participant-ids-agree @MS-newCall-call-media @MS-callEvent-callingPartyDrop
  @MS-callEvent-once @MS-callEvent-user @MS-callEvent-remoteUser @MS-callEvent-connectionId @MS-callEvent-participantId
  @MS-callEvent-remoteParticipantId @MS-callEvent-sipReason @MS-callEvent-action-drop @MS-callEvent-dropCode
  Scenario: A destination rings and answers, and is hung up when the caller leaves
    Given a phone bob that waits
    And newCall is answered with call to bob
    And callEvent is answered with drop and dropCode busy
    And the IVR keeps whoever is led to it
    When a caller calls the IVR, who will leave for the reason "SIP;cause=200;text=gone"
    Then bob is called                                                      [MS-newCall-action-call]
    And bob is invited at his own address                                   [MS-newCall-call-destAddr]
    When bob rings for half a second
    And bob answers
    Then callNotify is sent                                                 [MS-callNotify]
    And callNotify tells of the ringing                                     [MS-callNotify-ringing]
    And its user is bob                                                     [MS-callNotify-user]
    And its remoteUser is the caller                                        [MS-callNotify-remoteUser]
    And its sipCallId is the Call-ID of one of the two                      [MS-callNotify-sipCallId]
    And callAnswered comes after the answer                                 [MS-callAnswered-on-answer]
    And its callingPartyNumber is that of the caller                        [MS-callAnswered-callingPartyNumber]
    And its remotePartyNumber is that of bob                                [MS-callAnswered-remotePartyNumber]
    And its two participants differ                                         [MS-callAnswered-participants-differ]
    And it has no codec                                                     [MS-callAnswered-codec-only-httpcall]
    And nothing says that a leg is a monitoring one                         [MS-monitoringParticipant-false]
    And the caller and bob hear each other                                  [MS-newCall-call-media]
    When the caller hangs up
    Then callEvent is sent                                                  [MS-callEvent]
    And callEvent tells that the caller has hung up                         [MS-callEvent-callingPartyDrop]
    And it is told once                                                     [MS-callEvent-once]
    And its user is the caller                                              [MS-callEvent-user]
    And its remoteUser is bob                                               [MS-callEvent-remoteUser]
    And its connectionId is that of callAnswered                            [MS-callEvent-connectionId]
    And its participantId is the caller's of callAnswered                   [MS-callEvent-participantId]
    And its remoteParticipantId is bob's of callAnswered                    [MS-callEvent-remoteParticipantId]
    And the two have the same ids in all callbacks                          [MS-participant-ids-agree]
    And its sipReason has the reason "SIP;cause=200;text=gone"              [MS-callEvent-sipReason]
    And bob gets a BYE                                                      [MS-callEvent-action-drop]
    And the BYE to bob has a Reason                                         [MS-callEvent-dropCode]

  @MS-callEvent-calledPartyDrop @MS-callEvent-once @MS-callEvent-user @MS-callEvent-remoteUser
  @MS-callEvent-connectionId @MS-callEvent-participantId @MS-callEvent-remoteParticipantId @MS-callEvent-sipReason
  @MS-callEvent-action @MS-callEvent-action-drop @MS-callEvent-dropCode
  Scenario Outline: A caller is hung up when the destination leaves
    Given a phone bob that answers, and will leave for the reason "SIP;cause=200;text=done"
    And newCall is answered with call to bob
    And callEvent is answered with drop and dropCode <code>
    And the IVR keeps whoever is led to it
    When a caller calls the IVR
    And bob is connected
    And bob hangs up
    Then callEvent tells that the called party has hung up                  [MS-callEvent-calledPartyDrop]
    And it is told once                                                     [MS-callEvent-once]
    And its user is bob                                                     [MS-callEvent-user]
    And its remoteUser is the caller                                        [MS-callEvent-remoteUser]
    And its connectionId is that of callAnswered                            [MS-callEvent-connectionId]
    And its participantId is bob's of callAnswered                          [MS-callEvent-participantId]
    And its remoteParticipantId is the caller's of callAnswered             [MS-callEvent-remoteParticipantId]
    And its sipReason has the reason "SIP;cause=200;text=done"              [MS-callEvent-sipReason]
    And what is answered is done with the caller                            [MS-callEvent-action]
    And the caller gets a BYE                                               [MS-callEvent-action-drop]
    And the BYE to the caller has a Reason                                  [MS-callEvent-dropCode]

    Examples:
      | code            |
      | numberNotFound  |
      | numberNotActive |

  @needs-ivr @MS-callEvent-action-ivr @MS-hangupparticipant-sessionId @contract
  Scenario: A caller whom the destination has left is led to the IVR, and hung up there through its session
    Given a phone bob that answers
    And newCall is answered with call to bob
    And callEvent is answered with action ivr
    And the IVR keeps whoever is led to it
    When a caller calls the IVR
    And bob is connected
    And bob hangs up
    Then a command is asked for, and the caller's call stays up             [MS-callEvent-action-ivr]
    When hangupparticipant is sent with the sessionId of that command
    Then the caller gets a BYE                                              [MS-hangupparticipant-sessionId]

  @needs-httpcall @MS-callEvent-action-httpcall @MS-callEvent-httpcall-codec @MS-callEvent-httpcall-receiveIp
  @MS-callEvent-httpcall-receivePort @MS-callAnswered-media-httpcall
  Scenario: A caller whom the destination has left is connected with a device
    Given a phone bob that answers
    And newCall is answered with call to bob
    And callEvent is answered with httpcall to a device that speaks PCMU
    When a caller who speaks PCMU calls the IVR
    And bob is connected
    And bob hangs up
    Then the offer to the caller has the device's codec                     [MS-callEvent-httpcall-codec]
    And the offer to the caller has the device's address                    [MS-callEvent-httpcall-receiveIp]
    And the offer to the caller has the device's port                       [MS-callEvent-httpcall-receivePort]
    And the device hears the caller                                         [MS-callEvent-action-httpcall]
    And callAnswered tells of the caller's media                            [MS-callAnswered-media-httpcall]

  @MS-newCall-call-ringbackTone-default @MS-callEvent-call-ringbackTone-silent @MS-callEvent-action-call
  @MS-callEvent-call-destAddr @MS-callEvent-call-media
  Scenario: A caller hears a tone for the first destination, silence for the second, and then the second
    Given a phone bob that waits
    And a phone carol that waits
    And newCall is answered with
      | action       | call    |
      | destAddr     | {bob}   |
      | ringbackTone | default |
    And callEvent is answered with
      | action       | call    |
      | destAddr     | {carol} |
      | ringbackTone | silent  |
    And the next callEvent is answered with drop and dropCode temporarilyUnavailable
    When a caller calls the IVR
    And bob rings
    Then the caller hears a tone                                            [MS-newCall-call-ringbackTone-default]
    When bob answers
    And bob is connected
    And bob hangs up
    And carol rings for half a second
    And carol answers and speaks
    Then the caller hears silence until carol answers                       [MS-callEvent-call-ringbackTone-silent]
    And the caller is connected with carol                                  [MS-callEvent-action-call]
    And carol is invited at her own address                                 [MS-callEvent-call-destAddr]
    And the caller and carol hear each other                                [MS-callEvent-call-media]

  @MS-newCall-call-ringbackTone-silent @MS-callEvent-call-ringbackTone-default
  Scenario: A caller hears silence for the first destination, and a tone for the second
    Given a phone bob that waits
    And a phone carol that waits
    And newCall is answered with
      | action       | call   |
      | destAddr     | {bob}  |
      | ringbackTone | silent |
    And callEvent is answered with
      | action       | call    |
      | destAddr     | {carol} |
      | ringbackTone | default |
    And the next callEvent is answered with drop
    When a caller calls the IVR
    And bob rings for half a second
    And bob answers and speaks
    And bob is connected
    Then the caller hears silence until bob answers                         [MS-newCall-call-ringbackTone-silent]
    When bob hangs up
    And carol rings
    Then the caller hears a tone                                            [MS-callEvent-call-ringbackTone-default]
