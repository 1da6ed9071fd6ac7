Feature: Access tokens
  A user gets an access token for a password, shows it with every request, and renews it.

  @CA-token-for-password @CA-token-opens-api @CA-token-jwt @CA-token-roles @CA-token-expires-in-seconds
  @CA-token-refresh-outlives
  Scenario: Name and password open the API
    When a user logs in with name and password
    Then an access token and a refresh token are given      [CA-token-for-password]
    And the access token is a JWT                           [CA-token-jwt]
    And its claims hold the roles of the user               [CA-token-roles]
    And its life is given in seconds                        [CA-token-expires-in-seconds]
    And the refresh token lives longer than the access token    [CA-token-refresh-outlives]
    And the access token opens the API                      [CA-token-opens-api]

  @CA-token-wrong-password @CA-token-wrong-password-status
  Scenario Outline: Nobody gets in with a wrong name or password
    Given a user who has logged in
    When someone logs in with <what>
    Then nobody is let in                                   [CA-token-wrong-password]
    And the refusal is one that log-ins have                [CA-token-wrong-password-status]

    Examples:
      | what             |
      | a wrong password |
      | an unknown name  |

  @CA-token-refresh @CA-token-refresh-shape
  Scenario: A refresh token is exchanged for new tokens
    Given a user who has logged in
    When the refresh token is exchanged for new tokens
    Then the new access token opens the API                 [CA-token-refresh]
    And the answer has the members of that to a log-in      [CA-token-refresh-shape]

  @CA-token-bad-refresh
  Scenario Outline: What is no refresh token is not exchanged
    Given a user who has logged in
    When <what> is shown as a refresh token
    Then no new tokens are given                            [CA-token-bad-refresh]

    Examples:
      | what             |
      | an invented text |
      | an access token  |

  @needs-short-tokens @CA-token-expires
  Scenario: An access token ends with its life
    Given a user with short-lived tokens who has logged in
    When the life of the access token is over
    Then the access token opens nothing any more            [CA-token-expires]
