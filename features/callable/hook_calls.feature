@needs-sip @needs-callbacks
Feature: Hooks in calls
  Event hooks hear of calls, flow hooks steer them.

  @CA-event-hook-called @CA-event-hook-method
  Scenario: An event hook is told of a call
    Given a desk
    And an event hook
    When the desk is called with the verbs
      | hangup | call-complete |
    Then the platform sends events to the hook              [CA-event-hook-called]
    And it sends them by its method to exactly its URL      [CA-event-hook-method]

  @CA-event-hook-current
  Scenario: An event hook that has moved is told at its new URL only
    Given a desk
    And an event hook that has moved
    When the desk is called with the verbs
      | hangup | call-complete |
    Then events come to the new URL, and not to the old one    [CA-event-hook-current]

  @needs-pstn @needs-flow-hooks @CA-flow-hook-called @CA-flow-hook-verbs-run
  Scenario: A flow hook is asked, and its verbs run in their order
    Given a desk who is busy
    And a flow hook that has the desk called, and then the call rejected
    And an inbound number that leads to the flow hook
    When the inbound number is called
    Then the flow hook is asked, first with the action start    [CA-flow-hook-called]
    And the desk rings before the call is refused           [CA-flow-hook-verbs-run]
