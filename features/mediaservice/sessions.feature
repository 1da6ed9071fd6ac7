@needs-sip @needs-callbacks
Feature: Sessions
  All that is told of one call belongs together, and says so.

  @MS-callNotify @MS-callAnswered @MS-callEvent @MS-sessionCompleted
  @MS-sessionId-constant @MS-traceId-constant @MS-httpTransactionId-unique @MS-domain-tenant @MS-callback-path
  @MS-session-duration-numeric @MS-newCall-sessionReferenceId @MS-callEvent-sessionReferenceId
  @MS-session-completed-not-early
  Scenario: The callbacks of a call have in common what they should
    Given a phone bob that answers
    And callEvent is answered with a sessionReferenceId of its own
    And newCall is answered with
      | action   | call  |
      | destAddr | {bob} |
    When a caller calls the IVR
    Then callNotify comes                                                   [MS-callNotify]
    And callAnswered comes                                                  [MS-callAnswered]
    When the call is answered
    And the caller hangs up
    Then callEvent comes                                                    [MS-callEvent]
    And sessionCompleted comes                                              [MS-sessionCompleted]
    And the session is completed, and not before                            [MS-session-completed-not-early]
    And all callbacks have the same sessionId                               [MS-sessionId-constant]
    And all callbacks have the same traceId                                 [MS-traceId-constant]
    And no two callbacks have the same httpTransactionId                    [MS-httpTransactionId-unique]
    And those that tell a domain tell that of the operations                [MS-domain-tenant]
    And each is a POST to its own name                                      [MS-callback-path]
    And sessionDuration is a number, or digits                              [MS-session-duration-numeric]
    And the sessionReferenceId of newCall's answer comes in what follows    [MS-newCall-sessionReferenceId]
    And that of callEvent's answer comes afterwards                         [MS-callEvent-sessionReferenceId]

  @needs-ivr @MS-getIvrCommand @MS-getIvrCommand-sessionReferenceId
  Scenario: The answer to getIvrCommand gives a sessionReferenceId too
    Given getIvrCommand is answered with a sessionReferenceId of its own
    When a caller calls the IVR
    Then getIvrCommand comes                                                [MS-getIvrCommand]
    And that of getIvrCommand's answer comes afterwards                     [MS-getIvrCommand-sessionReferenceId]

  @needs-intelligent-network @MS-getCallIdentifier @MS-getCallIdentifier-calledParty
  @MS-getCallIdentifier-sessionReferenceId
  Scenario: A call that comes by way of an IN is asked for its identifier
    Given getCallIdentifier is answered with a sessionReferenceId of its own
    When a caller calls the IVR by way of an IN
    Then getCallIdentifier comes                                            [MS-getCallIdentifier]
    And its calledParty is what the caller dialled                          [MS-getCallIdentifier-calledParty]
    And that of getCallIdentifier's answer comes afterwards                 [MS-getCallIdentifier-sessionReferenceId]

  @needs-hybrid @MS-site-base-url
  Scenario: Operations on a call at a site are served at the base URL of the site
    Given a phone bob that answers
    And a caller who is connected with bob
    When hangupparticipant is sent to the siteBaseUrl of callAnswered
    Then the site carries it out                                            [MS-site-base-url]
