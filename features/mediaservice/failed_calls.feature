@needs-callbacks @needs-sip
Feature: Destinations that cannot be had
  A destination refuses, does not answer, or the caller gives up; the answer to callEvent says what comes next.

  @MS-callEvent-calledPartyFailure @MS-callEvent-once @MS-callEvent-sipResponseCode @MS-callEvent-sipReason
  @MS-callEvent-errorDescr @MS-callAnswered-never-on-refusal @MS-callNotify-ringing-only @MS-callEvent-dropCode-setup
  Scenario Outline: A destination refuses, and the caller is dropped
    Given a phone bob that refuses at once with <status> <phrase>, for the reason "Q.850;cause=<cause>"
    And newCall is answered with call to bob
    And callEvent is answered with drop and dropCode <code>
    When a caller calls the IVR
    Then callEvent tells that the called party cannot be had                [MS-callEvent-calledPartyFailure]
    And it is told once                                                     [MS-callEvent-once]
    And its sipResponseCode is <status>                                     [MS-callEvent-sipResponseCode]
    And its sipReason has the reason "Q.850;cause=<cause>"                  [MS-callEvent-sipReason]
    And its errorDescr says what went wrong                                 [MS-callEvent-errorDescr]
    And the caller's call is ended as <code> says                           [MS-callEvent-dropCode-setup]
    And no callAnswered comes                                               [MS-callAnswered-never-on-refusal]
    And no ringing is told                                                  [MS-callNotify-ringing-only]

    Examples:
      | status | phrase    | cause | code           |
      | 486    | Busy Here | 17    | busy           |
      | 404    | Not Found | 1     | numberNotFound |
      | 603    | Decline   | 21    | dropNoMsg      |

  @MS-newCall-call-maxRingTime @MS-newCall-call-maxRingTime-cancel @MS-callEvent-call-maxRingTime
  @MS-callEvent-call-maxRingTime-cancel @MS-callEvent-sipResponseCode-absent
  Scenario: Destinations that do not answer are called for maxRingTime
    Given a phone bob that waits
    And a phone carol that waits
    And newCall is answered with
      | action      | call  |
      | destAddr    | {bob} |
      | maxRingTime | 1     |
    And callEvent is answered with
      | action      | call    |
      | destAddr    | {carol} |
      | maxRingTime | 1       |
    And the next callEvent is answered with drop
    When a caller calls the IVR
    And bob rings
    Then the attempt to reach bob ends after 1 second                       [MS-newCall-call-maxRingTime]
    And it ends with CANCEL                                                 [MS-newCall-call-maxRingTime-cancel]
    And callEvent has no sipResponseCode but one of the platform's own      [MS-callEvent-sipResponseCode-absent]
    When carol rings
    Then the attempt to reach carol ends after 1 second                     [MS-callEvent-call-maxRingTime]
    And it ends with CANCEL                                                 [MS-callEvent-call-maxRingTime-cancel]

  @MS-newCall-call-ringbackTone-remoteGenerated @MS-newCall-call-caller-cancels
  Scenario: A caller who makes its own tone gives up while the destination rings
    Given a phone bob that waits
    And newCall is answered with
      | action       | call            |
      | destAddr     | {bob}           |
      | ringbackTone | remoteGenerated |
    When a caller calls the IVR
    And bob rings
    Then the caller gets ringing without media                              [MS-newCall-call-ringbackTone-remoteGenerated]
    When the caller gives up
    Then bob is cancelled                                                   [MS-newCall-call-caller-cancels]

  @MS-callEvent-call-ringbackTone-remoteGenerated @MS-callEvent-call-caller-cancels
  Scenario: A caller whose first destination was busy gives up while the second rings
    Given a phone bob that refuses at once with 486 Busy Here
    And a phone carol that waits
    And newCall is answered with call to bob
    And callEvent is answered with
      | action       | call            |
      | destAddr     | {carol}         |
      | ringbackTone | remoteGenerated |
    When a caller calls the IVR
    And carol rings
    Then the caller gets ringing without media                              [MS-callEvent-call-ringbackTone-remoteGenerated]
    When the caller gives up
    Then carol is cancelled                                                 [MS-callEvent-call-caller-cancels]

  @needs-destination-lists @MS-newCall-call-destAddr-list-tried @MS-newCall-call-destAddr-list-maxRingTime
  @MS-callEvent-call-destAddr-list-tried @MS-callEvent-call-destAddr-list-maxRingTime
  Scenario: Of a list of destinations one answers, and the other rings for its own time
    Given a phone bob that waits
    And a phone carol that waits
    And a phone dave that waits
    And a phone erin that waits
    And newCall is answered with
      | action      | call                                                               |
      | destAddr    | [{"destAddr": "{bob}", "maxRingTime": 1}, {"destAddr": "{carol}"}] |
      | maxRingTime | 6                                                                  |
    And callEvent is answered with
      | action      | call                                                               |
      | destAddr    | [{"destAddr": "{dave}", "maxRingTime": 1}, {"destAddr": "{erin}"}] |
      | maxRingTime | 6                                                                  |
    And the next callEvent is answered with drop
    When a caller calls the IVR
    And bob rings
    Then the attempt to reach bob ends after 1 second                       [MS-newCall-call-destAddr-list-maxRingTime]
    And carol is called, answers, and is connected with the caller          [MS-newCall-call-destAddr-list-tried]
    When carol hangs up
    And dave rings
    Then the attempt to reach dave ends after 1 second                      [MS-callEvent-call-destAddr-list-maxRingTime]
    And erin is called, answers, and is connected with the caller           [MS-callEvent-call-destAddr-list-tried]
