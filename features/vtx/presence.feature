@needs-presence @needs-callbacks
Feature: Presence
  An application sees whether a user is on the phone.

  @VX-users-presence-busy
  Scenario: A user in a call has another presence than before
    Given users A and B
    And the presence of user A while nobody calls
    When the presence of user A is read during a call to user B
    Then it is not what it was without a call                               [VX-users-presence-busy]
