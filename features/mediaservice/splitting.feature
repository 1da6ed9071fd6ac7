@needs-callbacks @needs-sip
Feature: Connections taken apart by operations
  splitconnection, hangupparticipant and hangupremoteparticipant act on the call, and on the party, that they name.

  @MS-split-callerConnectionSplit @MS-split-calleeConnectionSplit @MS-split-one-event-each @MS-split-participantId
  @MS-split-keeps-calls @MS-split-disconnects-media @MS-callEvent-dropCode @MS-callEvent-dropCode-reasons-differ
  Scenario: A split asks for each of the two what to do, and leaves both calls up until it is told
    Given a phone bob that answers
    And a caller who is connected with bob
    And callerConnectionSplit is answered after a while with drop and dropCode busy
    And calleeConnectionSplit is answered after a while with drop and dropCode error
    When the caller and bob speak with each other
    And splitconnection is sent for the connection
    Then callEvent asks about the caller                                    [MS-split-callerConnectionSplit]
    And callEvent asks about the called party                               [MS-split-calleeConnectionSplit]
    And each of the two is asked about once                                 [MS-split-one-event-each]
    And each event names its own participant                                [MS-split-participantId]
    And the caller and bob are deaf to each other                           [MS-split-disconnects-media]
    And nobody is hung up before an event is answered                       [MS-split-keeps-calls]
    And the BYE to the caller has a Reason                                  [MS-callEvent-dropCode]
    And the BYE to bob has a Reason                                         [MS-callEvent-dropCode]
    And the two reasons differ                                              [MS-callEvent-dropCode-reasons-differ]

  @needs-ivr @MS-split-action-applies @contract
  Scenario: After a split each party gets its own action
    Given a phone bob that answers
    And a caller who is connected with bob
    And callerConnectionSplit is answered with ivr
    And calleeConnectionSplit is answered with drop
    And the IVR keeps whoever is led to it
    When splitconnection is sent for the connection
    Then bob is hung up, and the caller is led to the IVR                   [MS-split-action-applies]

  @MS-callEvent-action-connect @MS-callEvent-connect-participantId
  Scenario: Parties that were split are joined again
    Given a phone bob that answers
    And a caller who is connected with bob
    And callerConnectionSplit is answered with connect to the other party
    And calleeConnectionSplit is answered with connect to the other party
    When splitconnection is sent for the connection
    Then the caller and bob are joined again                                [MS-callEvent-action-connect]
    And the caller hears bob, whom participantId names, and bob the caller  [MS-callEvent-connect-participantId]

  @MS-splitconnection-replyId @MS-splitconnection-connectionId
  Scenario: A split takes apart the connection that it names, of the call that it names
    Given a first caller who is connected with bob
    And a second caller who is connected with carol
    When splitconnection is sent for the first call with the second's replyId
    And splitconnection is sent for the first call with its own replyId
    Then its own replyId splits it, and the other did not                   [MS-splitconnection-replyId]
    And the second caller and carol hear each other                         [MS-splitconnection-replyId]
    And the connection that is split is that of the first call              [MS-splitconnection-connectionId]

  @MS-hangupparticipant-hangs-up @MS-hangupparticipant-participantId @MS-hangupparticipant-replyId
  @contract
  Scenario: Of two calls a caller is hung up, and then a called party
    Given a first caller who is connected with bob
    And a second caller who is connected with carol
    When hangupparticipant is sent for the first caller
    Then somebody of that call is hung up                                   [MS-hangupparticipant-hangs-up]
    And it is the first caller who is hung up                               [MS-hangupparticipant-participantId]
    And the second caller and carol hear each other                         [MS-hangupparticipant-replyId]
    When hangupparticipant is sent for carol
    Then somebody of that call is hung up                                   [MS-hangupparticipant-hangs-up]
    And it is carol who is hung up                                          [MS-hangupparticipant-participantId]

  @MS-hangupremoteparticipant-hangs-up @MS-hangupremoteparticipant-participantId @MS-hangupremoteparticipant-replyId
  @contract
  Scenario: Of two calls the other side of a caller is hung up, and then the other side of a called party
    Given a first caller who is connected with bob
    And a second caller who is connected with carol
    When hangupremoteparticipant is sent for the first caller
    Then somebody of that call is hung up                                   [MS-hangupremoteparticipant-hangs-up]
    And it is bob who is hung up                                            [MS-hangupremoteparticipant-participantId]
    And the second caller and carol hear each other                         [MS-hangupremoteparticipant-replyId]
    When hangupremoteparticipant is sent for carol
    Then somebody of that call is hung up                                   [MS-hangupremoteparticipant-hangs-up]
    And it is the second caller who is hung up                              [MS-hangupremoteparticipant-participantId]
