Feature: Access
  Whoever operates on calls shows credentials; a browser may ask beforehand without them.

  @MS-preflight-open
  Scenario: A pre-flight request needs no credentials
    When a browser asks whether it may send hangupcall
    Then the browser is answered without credentials                [MS-preflight-open]

  @needs-auth @needs-remote @MS-auth-required @MS-auth-required-status
  Scenario Outline: An operation is carried out for nobody without valid credentials
    Given hangupcall, which takes valid credentials
    When it is sent <how> credentials
    Then it is refused                                              [MS-auth-required]
    And it is refused as unauthorised                               [MS-auth-required-status]

    Examples:
      | how        |
      | without    |
      | with wrong |

  @needs-auth @needs-remote @MS-jwt-bearer
  Scenario: The twins of operations take a bearer token
    Given hangupcalljwt, which is refused without credentials
    When it is sent with the bearer token
    Then the token is accepted                                      [MS-jwt-bearer]
