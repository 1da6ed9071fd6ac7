@needs-sip @needs-pstn
Feature: Calls to inbound numbers, and from trunks
  A call to an inbound number enters at the route start that lists it; a PBX calls from the address of its trunk.

  @CA-ddi-enters-route @CA-ddi-connected
  Scenario: A call to an inbound number rings the trunk at the end of its flow, and is connected
    Given a desk
    And an inbound number that leads to the desk
    When the inbound number is called
    Then the desk rings for the inbound number              [CA-ddi-enters-route]
    And caller and desk hear each other                     [CA-ddi-connected]

  @CA-ddi-hangup @CA-ddi-current-route
  Scenario: A route start that connects to HANGUP refuses calls, until it is updated
    Given a desk
    And an inbound number that leads to HANGUP
    When the inbound number is called
    Then that call is refused, and the desk does not ring   [CA-ddi-hangup]
    When the route start is updated to lead to the desk, and the number is called again
    Then the call takes the new way                         [CA-ddi-current-route]

  @CA-ddi-unlisted
  Scenario: A number that no route start lists is refused
    Given an inbound number that has rung the desk
    When no route start lists the number any more, and it is called again
    Then that call is refused, and the desk does not ring   [CA-ddi-unlisted]

  @CA-trunk-whitelisted-served @CA-trunk-call-goes-out
  Scenario: A PBX calls out from the address of its trunk, whatever its port
    Given a trunk with the address of a PBX and another port
    And an outside number
    When the PBX calls the outside number
    Then its call is taken                                  [CA-trunk-whitelisted-served]
    And it comes out on the carrier side                    [CA-trunk-call-goes-out]

  @needs-foreign-source @CA-trunk-others-refused
  Scenario: A call from an address that no trunk has is refused
    Given a trunk with the address of a PBX and another port
    And an outside number that the PBX has called
    When a stranger calls the outside number
    Then the stranger is refused                            [CA-trunk-others-refused]
