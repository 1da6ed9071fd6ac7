@needs-sip
Feature: Verbs
  What an application has done in a call runs in order, from the answer to the end.

  @CA-say-heard @CA-say-rtp @contract
  Scenario: What is said is heard
    Given a desk
    When the desk is called with the verbs
      | say    | Your bread is ready |
      | hangup | call-complete       |
    Then the desk hears it                                  [CA-say-heard]
    And it comes as RTP, as the desk's answer offered       [CA-say-rtp]

  @CA-verbs-in-order
  Scenario: Verbs run in their order
    Given a desk and a colleague that waits with its answer
    When the desk is called with the verbs
      | say    | One moment please |
      | dial   | the colleague     |
      | hangup | call-complete     |
    And the colleague rings for a moment and is busy
    Then it is spoken to, then the colleague rings, then it is hung up    [CA-verbs-in-order]

  @CA-verbs-not-before-answer
  Scenario: No verb runs while the target rings
    Given a desk that waits with its answer, and a colleague
    When the desk is called with the verbs
      | dial | the colleague |
    And the desk rings for a while and then answers
    Then the colleague rings then, and not before           [CA-verbs-not-before-answer]

  @CA-verbs-not-unanswered
  Scenario Outline: No verb runs when the target does not answer
    Given a colleague who was called when the desk had answered
    And a desk that <refuses>
    When the desk is called with the verbs
      | dial | the colleague |
    Then the colleague does not ring, as there was no answer    [CA-verbs-not-unanswered]

    Examples:
      | refuses      |
      | is busy      |
      | declines     |
      | is not there |

  @CA-verbs-stop-with-call
  Scenario: No verb runs once the target has hung up
    Given a colleague who was called when the desk had answered
    And a desk
    When the desk is called and hangs up while it is spoken to
    Then the colleague does not ring, as the call is over   [CA-verbs-stop-with-call]

  @needs-pstn @CA-dial-targets @CA-dial-caller-id @CA-dial-connects @contract
  Scenario: Dial calls a phone number and connects it
    Given a desk and an outside number
    When the desk is called with the verbs
      | dial | the outside number | as one of the account's inbound numbers |
    Then the dialled number rings                           [CA-dial-targets]
    And the number of the dial verb is presented            [CA-dial-caller-id]
    And both hear each other                                [CA-dial-connects]

  @needs-pstn @CA-dial-hangup-passed-on
  Scenario Outline: When one of two connected parties hangs up, so does the other
    Given a desk and an outside number
    When the desk is called with the verbs
      | dial | the outside number |
    And the <one> hangs up when they are connected
    Then the <other> is hung up too                         [CA-dial-hangup-passed-on]

    Examples:
      | one            | other          |
      | desk           | outside number |
      | outside number | desk           |

  @needs-pstn @CA-dial-timeout @contract
  Scenario: Dial gives up who does not answer in time
    Given a desk, and an outside number that rings for ever
    When the desk is called with the verbs
      | dial | the outside number | timeout 1 |
    Then it rings for about 1 second                        [CA-dial-timeout]

  @needs-pstn @CA-dial-time-limit @contract
  Scenario: Dial ends a connection that lasts too long
    Given a desk and an outside number
    When the desk is called with the verbs
      | dial | the outside number | timeLimit 1 |
    Then they are connected for about 1 second              [CA-dial-time-limit]

  @needs-more-verbs @needs-callbacks @CA-verb-play
  Scenario: A sound file is heard
    Given a desk
    When the desk is called to hear a sound file of the recorder
    Then the desk hears the sound file                      [CA-verb-play]

  @needs-more-verbs @CA-verb-gather
  Scenario: Digits are taken before the next verb runs
    Given a desk and a colleague who is busy
    When the desk is called to enter a digit, and then the colleague
    Then the colleague rings when the digit was entered, and not before    [CA-verb-gather]

  @needs-more-verbs @CA-verb-reject
  Scenario: Reject ends a call that was answered
    Given a desk
    When the desk is called with the verbs
      | reject | busy |
    Then the call of the desk is ended                      [CA-verb-reject]

  @needs-more-verbs @needs-callbacks @CA-verb-redirect
  Scenario: Redirect goes on with verbs from elsewhere
    Given a desk and a colleague who is busy
    When the desk is called and redirected to verbs of the recorder that call the colleague
    Then the verbs are fetched and the colleague rings      [CA-verb-redirect]
