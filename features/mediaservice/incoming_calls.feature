@needs-sip @needs-callbacks
Feature: Incoming calls
  A call that arrives at the IVR is announced with newCall; the answer says what becomes of it.

  @MS-newCall-action-drop @MS-newCall @MS-session-dropped-completed
  Scenario: A call is announced, and refused when the answer says so
    Given newCall is answered with
      | action   | drop |
      | dropCode | busy |
    When a caller calls the IVR
    Then newCall announces the call                                 [MS-newCall]
    And the caller is refused                                       [MS-newCall-action-drop]
    And the session is completed                                    [MS-session-dropped-completed]
