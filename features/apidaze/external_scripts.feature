Feature: External scripts
  An application tells the platform where its call instructions are hosted.

  @AZ-script-created-listed @AZ-script-members-shown
  Scenario: A created external script is listed
    When an external script is created with
      | name | Menu – été |
    Then the external script is in the list                 [AZ-script-created-listed]
    And it is listed with every member of the sample        [AZ-script-members-shown]

  @AZ-script-optional-name @AZ-script-created-listed
  Scenario: A URL alone makes an external script
    When an external script is created with nothing but a URL
    Then it is created                                      [AZ-script-optional-name]
    And the external script is in the list                  [AZ-script-created-listed]

  @AZ-script-url-required @AZ-script-url-required-status
  Scenario: An external script without a URL is refused
    Given an external script
    When an external script is created without a URL
    Then it is not created                                  [AZ-script-url-required]
    And the refusal is answered 400                         [AZ-script-url-required-status]

  @AZ-script-url-required @AZ-script-url-required-status
  Scenario: An update of an external script without a URL is refused
    Given an external script
    When its name is updated to "Antes"
    And it is updated without a URL
    Then it is not updated                                  [AZ-script-url-required]
    And the refusal is answered 400                         [AZ-script-url-required-status]

  @AZ-script-list-complete @AZ-script-read-is-listed
  Scenario: Several external scripts are all listed, each under its own id
    Given 3 external scripts
    Then all of them are in the list                        [AZ-script-list-complete]
    And reading each by its id shows what the list shows    [AZ-script-read-is-listed]

  @AZ-script-update-shown
  Scenario Outline: An updated value of an external script shows
    Given an external script
    When its <value> is updated to "<new>"
    Then the new <value> shows at <value>                   [AZ-script-update-shown]

    Examples:
      | value | new                |
      | name  | Noche              |
      | url   | a URL of the recorder |

  @AZ-script-deleted-gone @AZ-script-deleted-404
  Scenario: A deleted external script is gone
    Given 2 external scripts
    When the first one is deleted
    Then it is no longer in the list                        [AZ-script-deleted-gone]
    And reading it is answered 404                          [AZ-script-deleted-404]

  @AZ-script-unknown-not-served @AZ-script-unknown-404
  Scenario Outline: An unknown external script is not found
    Given an external script
    When <operation> is asked for an unknown id
    Then it is not served                                   [AZ-script-unknown-not-served]
    And it is answered 404                                  [AZ-script-unknown-404]

    Examples:
      | operation            |
      | getExternalScript    |
      | updateExternalScript |
      | deleteExternalScript |

  @needs-callbacks @AZ-script-test-fetches @AZ-script-test-exact-url @AZ-script-test-each-time
  Scenario Outline: Testing an external script fetches exactly its URL, each time
    Given a script that the recorder serves with the query "<query>"
    When the script is tested
    Then the platform calls the script                      [AZ-script-test-fetches]
    And it calls exactly the URL that was given             [AZ-script-test-exact-url]
    When the script is tested again
    Then the platform calls the script once more            [AZ-script-test-each-time]

    Examples:
      | query                |
      |                      |
      | a=1&b=x%26y&c=%C3%A9 |
