@needs-sip @needs-callbacks @needs-session-timers
Feature: Session timers
  The legs of a call may agree on a time after which they end, unless somebody refreshes them (RFC 4028).

  @MS-callAnswered-callingPartyExpires @MS-callAnswered-calledPartyExpires
  Scenario: callAnswered tells what each leg has agreed on
    Given a phone bob that answers with a session timer of 1200 seconds
    And a caller with a session timer of 1500 seconds who is connected with bob
    Then callingPartyExpires is what the answer to the caller says          [MS-callAnswered-callingPartyExpires]
    And calledPartyExpires is what bob's answer says                        [MS-callAnswered-calledPartyExpires]
