@needs-callbacks @needs-sip @needs-ivr @needs-prompts
Feature: Greetings
  Phrases are played to a caller and a destination before they are connected with each other.

  @MS-greeting-caller @MS-greeting-callee @MS-greeting-playMode
  Scenario: Caller and destination each hear a greeting of their own, the destination first
    Given the prompts
      | low  | 700 Hz  | 0.3 s |
      | high | 1000 Hz | 0.3 s |
    And a phone bob that answers
    And newCall is answered with
      | action   | call                                                                                                                         |
      | destAddr | {bob}                                                                                                                        |
      | greeting | {"playMode": "calleeFirst", "caller": {"phrases": [{"fileName": "{low}"}]}, "callee": {"phrases": [{"fileName": "{high}"}]}} |
    And callEvent is answered with drop
    When a caller calls the IVR
    Then the caller is greeted with low                                     [MS-greeting-caller]
    And bob is greeted with high                                            [MS-greeting-callee]
    And high comes before low                                               [MS-greeting-playMode]

  @MS-newCall-call-greeting @MS-callEvent-call-greeting
  Scenario: Caller and destination are connected when the greeting is over, and not before
    Given the prompts
      | low | 700 Hz | 0.5 s |
    And a phone bob that waits
    And a phone carol that waits
    And newCall is answered with
      | action   | call                                             |
      | destAddr | {bob}                                            |
      | greeting | {"callee": {"phrases": [{"fileName": "{low}"}]}} |
    And callEvent is answered with
      | action   | call                                             |
      | destAddr | {carol}                                          |
      | greeting | {"callee": {"phrases": [{"fileName": "{low}"}]}} |
    And the next callEvent is answered with drop
    When a caller calls the IVR
    And bob answers and speaks
    Then the caller hears bob once he has heard low                         [MS-newCall-call-greeting]
    When bob hangs up
    And carol answers and speaks
    Then the caller hears carol once she has heard low                      [MS-callEvent-call-greeting]
