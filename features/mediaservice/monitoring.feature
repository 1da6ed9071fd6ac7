@needs-callbacks @needs-sip @needs-monitoring
Feature: Monitoring legs
  A third party is called beside a call, to listen to it.

  @MS-newCall-call-monitorDestAddr @MS-newCall-call-monitorSipFrom @MS-newCall-call-monitorXHeaders
  @MS-newCall-call-monitorPHeaders @MS-monitoringParticipant-true @MS-callEvent-call-monitorDestAddr
  @MS-callEvent-call-monitorSipFrom-default @MS-callEvent-call-monitorXHeaders-default
  @MS-callEvent-call-monitorPHeaders-default
  Scenario: The answer to newCall sets the headers of a monitoring leg, the one to callEvent leaves them as they are
    Given a phone bob that answers
    And a phone dave that answers
    And a phone carol that answers
    And a phone erin that answers
    And newCall is answered with
      | action          | call                            |
      | destAddr        | {bob}                           |
      | monitorDestAddr | {dave}                          |
      | monitorSipFrom  | "46700100401"                   |
      | monitorXHeaders | {"X-Ringtrue-Monitor": "alpha"} |
      | monitorPHeaders | {"P-Ringtrue-Monitor": "beta"}  |
    And callEvent is answered with
      | action          | call                               |
      | destAddr        | {carol}                            |
      | monitorDestAddr | {erin}                             |
      | xHeaders        | {"X-Ringtrue-Call": "of the call"} |
      | pHeaders        | {"P-Ringtrue-Call": "of the call"} |
    And the next callEvent is answered with drop
    When a caller calls the IVR with the headers
      """
      X-Ringtrue-Call: of the call
      P-Ringtrue-Call: of the call
      """
    Then dave is invited at his own address                                 [MS-newCall-call-monitorDestAddr]
    And dave's INVITE has the From and P-Asserted-Identity user 46700100401 [MS-newCall-call-monitorSipFrom]
    And dave's INVITE has the header X-Ringtrue-Monitor: alpha              [MS-newCall-call-monitorXHeaders]
    And dave's INVITE has the header P-Ringtrue-Monitor: beta               [MS-newCall-call-monitorPHeaders]
    And callbacks say that dave's leg is a monitoring one                   [MS-monitoringParticipant-true]
    When bob hangs up
    Then erin is invited at her own address                                  [MS-callEvent-call-monitorDestAddr]
    And erin's INVITE has the caller's number in From                       [MS-callEvent-call-monitorSipFrom-default]
    And erin's INVITE has the header X-Ringtrue-Call: of the call           [MS-callEvent-call-monitorXHeaders-default]
    And erin's INVITE has the header P-Ringtrue-Call: of the call           [MS-callEvent-call-monitorPHeaders-default]

  @MS-newCall-call-monitorDestAddr @MS-newCall-call-monitorSipFrom-default
  @MS-newCall-call-monitorXHeaders-default @MS-newCall-call-monitorPHeaders-default @MS-monitoringParticipant-true
  @MS-callEvent-call-monitorDestAddr @MS-callEvent-call-monitorSipFrom @MS-callEvent-call-monitorXHeaders
  @MS-callEvent-call-monitorPHeaders
  Scenario: The answer to callEvent sets the headers of a monitoring leg, the one to newCall leaves them as they are
    Given a phone bob that answers
    And a phone dave that answers
    And a phone carol that answers
    And a phone erin that answers
    And newCall is answered with
      | action          | call                               |
      | destAddr        | {bob}                              |
      | monitorDestAddr | {dave}                             |
      | xHeaders        | {"X-Ringtrue-Call": "of the call"} |
      | pHeaders        | {"P-Ringtrue-Call": "of the call"} |
    And callEvent is answered with
      | action          | call                            |
      | destAddr        | {carol}                         |
      | monitorDestAddr | {erin}                          |
      | monitorSipFrom  | "46700100402"                   |
      | monitorXHeaders | {"X-Ringtrue-Monitor": "alpha"} |
      | monitorPHeaders | {"P-Ringtrue-Monitor": "beta"}  |
    And the next callEvent is answered with drop
    When a caller calls the IVR with the headers
      """
      X-Ringtrue-Call: of the call
      P-Ringtrue-Call: of the call
      """
    Then dave is invited at his own address                                 [MS-newCall-call-monitorDestAddr]
    And dave's INVITE has the caller's number in From                       [MS-newCall-call-monitorSipFrom-default]
    And dave's INVITE has the header X-Ringtrue-Call: of the call           [MS-newCall-call-monitorXHeaders-default]
    And dave's INVITE has the header P-Ringtrue-Call: of the call           [MS-newCall-call-monitorPHeaders-default]
    And callbacks say that dave's leg is a monitoring one                   [MS-monitoringParticipant-true]
    When bob hangs up
    Then erin is invited at her own address                                  [MS-callEvent-call-monitorDestAddr]
    And erin's INVITE has the From and P-Asserted-Identity user 46700100402 [MS-callEvent-call-monitorSipFrom]
    And erin's INVITE has the header X-Ringtrue-Monitor: alpha              [MS-callEvent-call-monitorXHeaders]
    And erin's INVITE has the header P-Ringtrue-Monitor: beta               [MS-callEvent-call-monitorPHeaders]
