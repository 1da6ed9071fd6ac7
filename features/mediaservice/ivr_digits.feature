@needs-ivr @needs-sip @needs-callbacks
Feature: Digits in the IVR
  A command collects what the caller presses; the next getIvrCommand reports it.

  @MS-dtmf-reported @MS-dtmf-exact @MS-dtmf-maxDigits
  Scenario: The collection ends when there are enough digits
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 3, "firstTimeout": 4, "betweenTimeout": 1.5} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 1254
    Then the next command request reports digits                    [MS-dtmf-reported]
    And they are those that were pressed                            [MS-dtmf-exact]
    And there are 3 of them                                         [MS-dtmf-maxDigits]

  @MS-dtmf-terminationKey @MS-dtmf-matchedTerminationKey @MS-dtmf-exact
  Scenario: The collection ends with the termination key
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 9, "terminationKey": "#", "firstTimeout": 4, "betweenTimeout": 1.5} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 907#
    Then the collection ended because of the termination key        [MS-dtmf-terminationKey]
    And the key is reported, and not among the digits               [MS-dtmf-matchedTerminationKey]
    And they are those that were pressed                            [MS-dtmf-exact]

  @MS-dtmf-reported
  Scenario: Digits that are to be encrypted are reported too
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 2, "firstTimeout": 4, "encryption": {"type": "md5", "salt": "ringtrue"}} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 48
    Then the next command request reports digits                    [MS-dtmf-reported]

  @MS-dtmf-firstTimeout
  Scenario: The collection ends when nothing is pressed
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 4, "firstTimeout": 0.7} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then a second command is asked for 0.7 seconds after the first  [MS-dtmf-firstTimeout]

  @MS-dtmf-betweenTimeout
  Scenario: The collection ends when nothing more is pressed
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 9, "firstTimeout": 4, "betweenTimeout": 0.6} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 78
    Then they are reported 0.6 seconds after the last               [MS-dtmf-betweenTimeout]

  @MS-dtmf-reason
  Scenario: Each end of a collection has a reason of its own
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 1, "firstTimeout": 4, "betweenTimeout": 1.5} |
    And the next getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 9, "terminationKey": "#", "firstTimeout": 4, "betweenTimeout": 1.5} |
    And the next getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 9, "firstTimeout": 4, "betweenTimeout": 0.3} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 1
    And the caller presses 2#
    And the caller presses 3
    Then the three reasons differ                                   [MS-dtmf-reason]

  @MS-dtmfBuffer @MS-dtmf-flush
  Scenario: The buffer keeps digits until it is flushed
    Given getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 2, "firstTimeout": 4, "betweenTimeout": 1.5} |
    And the next getIvrCommand is answered with
      | dtmf | {"maxDigits": 1, "firstTimeout": 4} |
    And the next getIvrCommand is answered with
      | dtmf | {"flush": true, "maxDigits": 1, "firstTimeout": 4} |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller presses 12
    And the caller presses 3
    Then the buffer holds 123                                       [MS-dtmfBuffer]
    When the caller presses 4
    Then the buffer holds 4                                         [MS-dtmf-flush]

  @needs-prompts @MS-bargeIn
  Scenario: A digit interrupts a phrase that may be interrupted
    Given the prompts
      | low | 400 Hz | 4 s |
    And getIvrCommand is answered with
      | phrases | [{"fileName": "{low}"}]                               |
      | dtmf    | {"flush": true, "maxDigits": 1, "firstTimeout": 4}    |
      | bargeIn | current                                               |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller hears low begin
    And the caller presses 5
    Then the prompt low is interrupted                              [MS-bargeIn]

  @needs-prompts @MS-bargeIn-absent
  Scenario: A digit does not interrupt a phrase otherwise
    Given the prompts
      | low | 400 Hz | 1.2 s |
    And getIvrCommand is answered with
      | phrases | [{"fileName": "{low}"}]                               |
      | dtmf    | {"flush": true, "maxDigits": 1, "firstTimeout": 4}    |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    And the caller hears low begin
    And the caller presses 5
    Then the prompt low is heard to its end                         [MS-bargeIn-absent]
