Feature: Accounts
  An organisation has accounts, and each account an address.

  @CA-account-read-is-listed
  Scenario: An account is read as it is listed
    Then each account is read as it is listed               [CA-account-read-is-listed]

  @CA-address-update-shown @CA-address-members-shown @CA-update-without-body @CA-address-update-only-one
  Scenario: An updated address shows, and those of other accounts stay
    Given the addresses of the accounts
    When every value of the address is updated to
      | line1      | Straße 5, «Haus» |
      | line2      | 2ème étage       |
      | level1     | 東京都              |
      | level2     | Łódź             |
      | postalCode | BN213AW          |
      | country    | United Kingdom   |
    Then the update is answered without a body              [CA-update-without-body]
    And the address shows what was given                    [CA-address-update-shown]
    And the address has every member of the sample          [CA-address-members-shown]
    And the addresses of the other accounts are as they were    [CA-address-update-only-one]

  @CA-address-update-shown
  Scenario: One new value of an address shows, beside the old ones
    Given the addresses of the accounts
    When line2 of the address becomes "Third floor"
    Then the address shows what was given                   [CA-address-update-shown]

  @CA-account-unknown-404
  Scenario Outline: An account that does not exist is not found
    When <operation> is asked for an account that does not exist
    Then there is no such account: 404                      [CA-account-unknown-404]

    Examples:
      | operation       |
      | getAccount      |
      | getAddress      |
      | updateAddress   |
      | listDdis        |
      | listTrunks      |
      | createTrunk     |
      | getTrunk        |
      | updateTrunk     |
      | listHooks       |
      | createHook      |
      | getHook         |
      | listDevices     |
      | createDevice    |
      | getDevice       |
      | createVoiceCall |
