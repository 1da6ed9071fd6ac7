@needs-sip @needs-callbacks
Feature: Answers to newCall
  What the answer to newCall says is what becomes of the call.

  @MS-newCall-action-drop @MS-newCall-dropCode @MS-newCall-dropCode-busy @MS-newCall-dropCode-busy-status
  @MS-newCall-dropCode-error @MS-newCall-dropCode-numberNotFound @MS-newCall-dropCode-numberNotFound-status
  @MS-newCall-dropCode-numberNotActive @MS-newCall-dropCode-dropNoMsg @MS-newCall-dropCode-temporarilyUnavailable
  @MS-newCall-dropCode-temporarilyUnavailable-status @MS-session-dropped-completed
  Scenario: Each drop code refuses a call
    When a caller calls the IVR for each drop code
      | busy | error | numberNotFound | numberNotActive | dropNoMsg | temporarilyUnavailable |
    Then every call is refused                                      [MS-newCall-action-drop]
    And the drop code busy refuses a call                           [MS-newCall-dropCode-busy]
    And the drop code error refuses a call                          [MS-newCall-dropCode-error]
    And the drop code numberNotFound refuses a call                 [MS-newCall-dropCode-numberNotFound]
    And the drop code numberNotActive refuses a call                [MS-newCall-dropCode-numberNotActive]
    And the drop code dropNoMsg refuses a call                      [MS-newCall-dropCode-dropNoMsg]
    And the drop code temporarilyUnavailable refuses a call         [MS-newCall-dropCode-temporarilyUnavailable]
    And the drop code busy is sent as 486 or 600                    [MS-newCall-dropCode-busy-status]
    And the drop code numberNotFound is sent as 404                 [MS-newCall-dropCode-numberNotFound-status]
    And the drop code temporarilyUnavailable is sent as 480         [MS-newCall-dropCode-temporarilyUnavailable-status]
    And busy, numberNotFound and temporarilyUnavailable differ      [MS-newCall-dropCode]
    And the sessions are completed                                  [MS-session-dropped-completed]

  @needs-ivr @MS-newCall-action-ivr @MS-newCall-action @MS-sessionId-distinct @MS-traceId-distinct
  @MS-session-completed @MS-session-completed-once @MS-session-completed-last
  Scenario: Of two calls one is refused and the other gets to the IVR
    When a caller calls the IVR and is sent there
    And another caller calls the IVR and is dropped
    Then the first call is answered, and getIvrCommand asked        [MS-newCall-action-ivr]
    And each call has what the answer said                          [MS-newCall-action]
    And neither call has the sessionId of the other                 [MS-sessionId-distinct]
    And neither call has the traceId of the other                   [MS-traceId-distinct]
    And the sessions are completed                                  [MS-session-completed]
    And each of them once                                           [MS-session-completed-once]
    And nothing follows that                                        [MS-session-completed-last]

  @MS-newCall-cancelled
  Scenario: A caller gives up before newCall is answered
    Given newCall is answered late
    When a caller calls the IVR
    And the caller gives up
    Then the call ends with 487                                     [MS-newCall-cancelled]

  @needs-ivr @MS-newCall-action-connect @MS-newCall-connect-participantId
  Scenario: A new caller is joined to somebody who is there already
    Given a caller who is left in the IVR
    When another caller calls the IVR and is joined to the one there
    Then the new caller is answered                                 [MS-newCall-action-connect]
    And the two callers hear each other                             [MS-newCall-connect-participantId]
