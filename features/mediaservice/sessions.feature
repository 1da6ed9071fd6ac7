@needs-sip @needs-callbacks
Feature: Sessions
  All that is told of one call belongs together, and says so.

  @MS-sessionId-constant @MS-traceId-constant @MS-httpTransactionId-unique @MS-domain-tenant @MS-callback-path
  @MS-site-only-hybrid @MS-session-duration-numeric @MS-newCall-sessionReferenceId @MS-callEvent-sessionReferenceId
  @MS-session-completed-not-early
  Scenario: The callbacks of a call have in common what they should
    Given a phone bob that answers
    And callEvent is answered with a sessionReferenceId of its own
    And a caller who is connected with bob
    When the caller hangs up
    Then the session is completed, and not before                           [MS-session-completed-not-early]
    And all callbacks have the same sessionId                               [MS-sessionId-constant]
    And all callbacks have the same traceId                                 [MS-traceId-constant]
    And no two callbacks have the same httpTransactionId                    [MS-httpTransactionId-unique]
    And those that tell a domain tell that of the operations                [MS-domain-tenant]
    And each is a POST to its own name                                      [MS-callback-path]
    And none tells of a site                                                [MS-site-only-hybrid]
    And sessionDuration is a number, or digits                              [MS-session-duration-numeric]
    And the sessionReferenceId of newCall's answer comes in what follows    [MS-newCall-sessionReferenceId]
    And that of callEvent's answer comes afterwards                         [MS-callEvent-sessionReferenceId]

  @needs-ivr @MS-getIvrCommand-sessionReferenceId
  Scenario: The answer to getIvrCommand gives a sessionReferenceId too
    Given getIvrCommand is answered with a sessionReferenceId of its own
    When a caller calls the IVR
    Then that of getIvrCommand's answer comes afterwards                    [MS-getIvrCommand-sessionReferenceId]
