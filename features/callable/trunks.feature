Feature: SIP trunks
  An application lets the address of a PBX connect.

  @CA-trunk-created-listed @CA-trunk-members-shown @CA-trunk-values-kept
  Scenario: A created SIP trunk is listed with all its values
    Given a SIP trunk
    When a SIP trunk is created with
      | ip          | 192.0.2.10     |
      | port        | 5062           |
      | description | Büro 前台 & "co" |
    Then the SIP trunk is in the list                       [CA-trunk-created-listed]
    And the SIP trunk has every member of the sample        [CA-trunk-members-shown]
    And the SIP trunk has the values that were given        [CA-trunk-values-kept]

  @CA-trunk-read-is-listed
  Scenario: Each SIP trunk is read as it is listed
    Given 2 SIP trunks
    Then reading each SIP trunk by its id shows what the list shows    [CA-trunk-read-is-listed]

  @CA-trunk-update-shown @CA-trunk-update-only-one @CA-update-without-body
  Scenario Outline: An updated value of a SIP trunk shows, and no other trunk changes
    Given 2 SIP trunks
    When <value> of the <which> SIP trunk becomes "<new>"
    Then the update is answered without a body              [CA-update-without-body]
    And the SIP trunk shows its new <value>                 [CA-trunk-update-shown]
    And its id and the other SIP trunk are as they were     [CA-trunk-update-only-one]

    Examples:
      | value       | which  | new         |
      | description | first  | Zweigstelle |
      | ip          | second | 192.0.2.20  |
      | port        | second | 5080        |

  @CA-trunk-unknown-404
  Scenario Outline: An unknown SIP trunk is not found
    Given a SIP trunk
    When an unknown SIP trunk is <deed>
    Then that is answered 404                               [CA-trunk-unknown-404]

    Examples:
      | deed    |
      | read    |
      | updated |
