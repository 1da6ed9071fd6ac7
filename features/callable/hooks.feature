Feature: Hooks
  An application names the URLs that steer calls, or hear of them.

  @CA-hook-created-listed @CA-hook-members-shown @CA-hook-values-kept
  Scenario: A created hook is listed with all its values
    Given a hook
    When a hook is created with
      | app      | flow.generic |
      | priority | 20           |
    Then the hook is in the list                            [CA-hook-created-listed]
    And the hook has every member of the sample             [CA-hook-members-shown]
    And the hook has the values that were given             [CA-hook-values-kept]

  @CA-hook-read-is-listed
  Scenario: Each hook is read as it is listed
    Given 2 hooks
    Then reading each hook by its id shows what the list shows    [CA-hook-read-is-listed]

  @CA-hook-update-shown @CA-hook-update-only-one @CA-update-without-body
  Scenario Outline: An updated value of a hook shows, and no other hook changes
    Given 2 hooks
    When <value> of the <which> hook becomes "<new>"
    Then the update is answered without a body              [CA-update-without-body]
    And the hook shows its new <value>                      [CA-hook-update-shown]
    And its id and the other hook are as they were          [CA-hook-update-only-one]

    Examples:
      | value    | which  | new         |
      | url      | first  | another URL |
      | priority | second | 30          |

  @CA-hook-unknown-404
  Scenario Outline: An unknown hook is not found
    Given a hook
    When an unknown hook is <deed>
    Then that is answered 404                               [CA-hook-unknown-404]

    Examples:
      | deed    |
      | read    |
      | updated |
