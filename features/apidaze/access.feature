Feature: Access tokens and quota
  An application shows a token with every request, and its calls are counted.

  @AZ-token-accepted @AZ-wrong-secret-refused
  Scenario: A token opens the API, and a wrong secret gets none
    When a token is asked for with the right secret
    Then the token opens the list of SIP accounts           [AZ-token-accepted]
    When a token is asked for with a wrong secret
    Then no token is given                                  [AZ-wrong-secret-refused]

  @AZ-header.Location
  Scenario: A redirect says where to go
    When the list of SIP accounts is asked for with a slash at the end
    Then a redirect names its location                      [AZ-header.Location]

  @needs-quota @AZ-quota-exceeded-fails @AZ-quota-exceeded-429
  Scenario: Requests past the quota fail
    Given an application with a small quota
    When it sends requests until its quota is used up
    Then the next request fails                             [AZ-quota-exceeded-fails]
    And it is answered 429                                  [AZ-quota-exceeded-429]
