@needs-sip
Feature: SIP clients
  SIP clients register with the credentials of an account and place calls that run the external script.

  @AZ-sip-register @AZ-sip-challenge
  Scenario: An account registers with the password of the list
    Given a SIP account
    When its SIP client registers with the password of the list
    Then the registration is accepted                       [AZ-sip-register]
    And it was challenged for credentials first             [AZ-sip-challenge]

  @AZ-sip-register
  Scenario: Two accounts register side by side
    Given 2 SIP accounts
    When each SIP client registers with the password of the list
    Then both registrations are accepted                    [AZ-sip-register]

  @AZ-sip-wrong-password
  Scenario: A wrong password is refused
    Given a SIP account that registers
    When its SIP client registers with a wrong password
    Then the registration is refused                        [AZ-sip-wrong-password]

  @AZ-sip-deleted-account
  Scenario: A deleted account can no longer register
    Given a SIP account that registers
    When the SIP account is deleted
    And its SIP client registers with the password of the list
    Then the registration is refused                        [AZ-sip-deleted-account]

  @needs-callbacks @AZ-call-runs-script
  Scenario: A call fetches the external script
    Given a SIP account that registers
    And an external script that the recorder serves
    When its SIP client places a call
    Then the platform fetches the external script           [AZ-call-runs-script]

  @needs-callbacks @AZ-call-current-script
  Scenario: After an update of its URL a call fetches the new script
    Given a SIP account that registers
    And an external script that the recorder serves
    And the URL of the script is updated to another one of the recorder
    When its SIP client places a call
    Then the platform fetches the new script and not the old one    [AZ-call-current-script]
