@needs-sip
Feature: Voice calls
  An application has the platform call a target, and says what happens once it has answered.

  @CA-voice-target-dialled @CA-voice-dialled-once @CA-voice-optional-values @CA-target-extension
  @CA-target-extension-gateway @CA-device-gateway-rings-trunk @CA-device-gateway-trunk-address @CA-verbs-run-on-answer
  @CA-hangup-ends-call
  Scenario: A voice call to an extension rings the trunk behind it, and ends when its verbs say so
    Given a desk
    When the desk is called with the verbs
      | hangup | call-complete |
    Then target and verbs are enough                        [CA-voice-optional-values]
    And the desk rings                                      [CA-voice-target-dialled]
    And the trunk under the extension rings                 [CA-target-extension]
    And it is the trunk of the gateway with the extension   [CA-target-extension-gateway]
    And the gateway rings its trunk                         [CA-device-gateway-rings-trunk]
    And it rings it at ip and port of the trunk             [CA-device-gateway-trunk-address]
    And its verbs run when the desk has answered            [CA-verbs-run-on-answer]
    And the desk is hung up                                 [CA-hangup-ends-call]
    And the desk has rung once                              [CA-voice-dialled-once]

  @CA-target-override-to @contract
  Scenario: Whom to call behind the trunk can be said
    Given a desk
    When the desk is called, for "231" behind it
    Then the trunk is asked for "231"                       [CA-target-override-to]

  @needs-more-targets @CA-target-sip-uri
  Scenario: A SIP URI is called where it says
    Given a desk
    When the desk is called by its SIP URI
    Then the SIP URI is called                              [CA-target-sip-uri]

  @needs-more-targets @CA-target-device
  Scenario: A flow device is called by its id
    Given a desk
    When the desk is called by the id of its gateway
    Then the device is called                               [CA-target-device]

  @needs-pstn @CA-target-phone-number @CA-target-phone-number-carrier
  Scenario: A phone number is called on the carrier side
    Given an outside number
    When the outside number is called with the verbs
      | say    | Your bread is ready |
      | hangup | call-complete       |
    Then the outside number rings                           [CA-target-phone-number]
    And it is asked for by its number                       [CA-target-phone-number-carrier]

  @CA-voice-caller-presented @contract
  Scenario: The number that is given is presented to the target
    Given a desk
    When the desk is called as one of the account's inbound numbers
    Then that number is presented                           [CA-voice-caller-presented]

  @CA-voice-caller-default @CA-voice-caller-default-mbn
  Scenario Outline: Without a number to present, the main billing number is presented
    Given a desk
    When the desk is called with <caller> as the number to present
    Then a number is presented all the same                 [CA-voice-caller-default]
    And it is the main billing number of the account        [CA-voice-caller-default-mbn]

    Examples:
      | caller       |
      | nothing      |
      | a blank text |

  @CA-voice-tags-taken @contract
  Scenario: A voice call with tags is made like one without
    Given a desk
    When the desk is called with the tags
      | order | 17        |
      | kind  | Brötchen 前 |
    Then the tagged call rings the desk                     [CA-voice-tags-taken]

  @CA-voice-refused-not-dialled
  Scenario: A voice call that was not accepted dials nobody
    Given a desk that was called before
    When a call to the desk is asked for without verbs
    Then the desk does not ring for it                      [CA-voice-refused-not-dialled]
