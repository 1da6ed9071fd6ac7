Feature: Access
  An application shows its login, its password and its identifier with every request.

  @VX-access-granted
  Scenario: Login and application open the API
    When the server version is asked for with login and application
    Then the server version is shown                                        [VX-access-granted]

  @VX-application-required
  Scenario: Without the header of the application nothing is served
    Given a server version that is shown to login and application
    When the server version is asked for without the application header
    Then the request without application is refused as the client's mistake [VX-application-required]
