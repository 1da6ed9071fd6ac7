Feature: SIP accounts
  An application sets up the accounts with which SIP clients register.

  @AZ-account-created-listed @AZ-account-members-shown @AZ-account-values-shown @AZ-account-username-shown
  Scenario: A created SIP account is listed with all its values
    When a SIP account is created with
      | name                      | Réception 前台  |
      | internal_caller_id_number | 4711           |
      | external_caller_id_number | +31201234567   |
      | mwi_account               | reception      |
    Then the SIP account is in the list                     [AZ-account-created-listed]
    And it is listed with every member of the sample        [AZ-account-members-shown]
    And it has the user name that was given                 [AZ-account-username-shown]
    And it has the values that were given                   [AZ-account-values-shown]

  @AZ-account-optional-values @AZ-account-created-listed
  Scenario: A user name alone makes a SIP account
    When a SIP account is created with nothing but a user name
    Then it is created                                      [AZ-account-optional-values]
    And the SIP account is in the list                      [AZ-account-created-listed]

  @AZ-account-username-required @AZ-account-username-required-status
  Scenario: A SIP account without a user name is refused
    Given a SIP account
    When a SIP account is created without a user name
    Then it is not created                                  [AZ-account-username-required]
    And the refusal is answered 400                         [AZ-account-username-required-status]

  @AZ-account-list-complete @AZ-account-read-is-listed
  Scenario: Several SIP accounts are all listed, each under its own id
    Given 3 SIP accounts
    Then all of them are in the list                        [AZ-account-list-complete]
    And reading each by its id shows what the list shows    [AZ-account-read-is-listed]

  @AZ-account-update-shown @AZ-account-update-keeps-others
  Scenario Outline: An updated value shows, and the others stay
    Given a SIP account
    When its <value> is updated to "<new>"
    Then the new <value> shows, usually at <member>         [AZ-account-update-shown]
    And everything else is as it was                        [AZ-account-update-keeps-others]

    Examples:
      | value                     | new          | member                   |
      | name                      | Zoë 北 & co   | name                     |
      | internal_caller_id_number | 4712         | callerid.internal_number |
      | external_caller_id_number | +31209876543 | callerid.external_number |
      | mwi_account               | lobby        | voicemail.mwi_account    |

  @AZ-account-deleted-gone @AZ-account-delete-only-one @AZ-account-deleted-404
  Scenario: A deleted SIP account is gone, and only that one
    Given 3 SIP accounts
    When the second one is deleted
    Then it is no longer in the list                        [AZ-account-deleted-gone]
    And the others are in the list                          [AZ-account-delete-only-one]
    And reading it is answered 404                          [AZ-account-deleted-404]

  @AZ-account-unknown-not-served @AZ-account-unknown-404
  Scenario Outline: An unknown SIP account is not found
    Given a SIP account
    When <operation> is asked for an unknown id
    Then it is not served                                   [AZ-account-unknown-not-served]
    And it is answered 404                                  [AZ-account-unknown-404]

    Examples:
      | operation           |
      | getSipAccount       |
      | updateSipAccount    |
      | deleteSipAccount    |
      | getSipAccountStatus |

  @AZ-account-status-domain
  Scenario: The status of a SIP account holds the SIP domain
    Given a SIP account
    When its status is read
    Then the status holds a domain for SIP clients          [AZ-account-status-domain]
