Feature: Requests for voice calls
  A voice call needs a target and verbs.

  @CA-voice-target-required @CA-voice-target-required-status
  Scenario: A voice call without a target is refused
    Given a voice call that is accepted
    When the same call is asked for without its target
    Then a call without target is not accepted              [CA-voice-target-required]
    And the refusal of a call is a 4xx                      [CA-voice-target-required-status]

  @CA-voice-verbs-required @CA-voice-verbs-required-status
  Scenario: A voice call without verbs is refused
    Given a voice call that is accepted
    When the same call is asked for without its verbs
    Then a call without verbs is not accepted               [CA-voice-verbs-required]
    And the refusal of a call is a 4xx                      [CA-voice-verbs-required-status]
