@needs-ivr @needs-sip @needs-callbacks @needs-prompts
Feature: Commands of the IVR
  The IVR asks for a command with getIvrCommand, does what the answer says, and asks for the next one.

  @MS-phrases-played @MS-phrases-in-order @MS-phrase-fileName @MS-ivr-next-command @MS-ivr-one-command-at-a-time
  @MS-ivr-codec
  Scenario: Phrases are heard in their order, and then the next command is asked for
    Given the prompts
      | low  | 400 Hz | 0.3 s |
      | high | 700 Hz | 0.3 s |
    And getIvrCommand is answered with
      | phrases | [{"fileName": "{low}"}, {"fileName": "{high}"}] |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then the caller hears something                                     [MS-phrases-played]
    And the caller hears the prompt low                                 [MS-phrase-fileName]
    And the caller hears the prompt high after low                      [MS-phrases-in-order]
    And a second command is asked for                                   [MS-ivr-next-command]
    And that is not before the prompt high is over                      [MS-ivr-one-command-at-a-time]
    And the sound is PCMA or PCMU, as the caller offered                [MS-ivr-codec]

  @MS-hangup @MS-hangup-after-phrases @MS-hangup-no-more-commands @MS-session-completed
  @MS-session-completed-not-early
  Scenario: A command with hangup plays its phrases and ends the call
    Given the prompts
      | low | 400 Hz | 0.4 s |
    And getIvrCommand is answered with
      | phrases | [{"fileName": "{low}"}] |
      | hangup  | true                    |
    When a caller calls the IVR
    Then the IVR hangs up                                               [MS-hangup]
    And the caller has heard the whole prompt low before                [MS-hangup-after-phrases]
    And no further command is asked for                                 [MS-hangup-no-more-commands]
    And the session is completed                                        [MS-session-completed]
    And that is not while the call is up                                [MS-session-completed-not-early]

  @MS-getIVRCommandAfter @MS-getIVRCommandAfter-silence
  Scenario: The IVR waits in silence before it asks for the next command
    Given the prompts
      | low | 400 Hz | 0.2 s |
    And getIvrCommand is answered with
      | phrases            | [{"fileName": "{low}"}] |
      | getIVRCommandAfter | 0.8                     |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then a second command is asked for 0.8 seconds after the prompt low [MS-getIVRCommandAfter]
    And meanwhile the caller hears nothing                              [MS-getIVRCommandAfter-silence]

  @MS-backgroundPrompt-played @MS-backgroundPrompt-repeatPause @MS-getIVRCommandAfter-background
  Scenario: The background prompt fills the time until the next command
    Given the prompts
      | low  | 400 Hz  | 0.2 s |
      | back | 1000 Hz | 0.2 s |
    And getIvrCommand is answered with
      | phrases            | [{"fileName": "{low}"}]                    |
      | backgroundPrompt   | {"fileName": "{back}", "repeatPause": 0.3} |
      | getIVRCommandAfter | 1.4                                        |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then the caller hears the prompt back after low                     [MS-backgroundPrompt-played]
    And the caller hears back again after 0.3 seconds of silence        [MS-backgroundPrompt-repeatPause]
    And back is heard until the second command is asked for             [MS-getIVRCommandAfter-background]

  @MS-backgroundPrompt-ends
  Scenario: The background prompt ends with the session
    Given the prompts
      | back | 1000 Hz | 0.4 s |
    And getIvrCommand is answered with
      | backgroundPrompt   | {"fileName": "{back}"} |
      | getIVRCommandAfter | 0.5                    |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then back is not heard any more once the last command was given     [MS-backgroundPrompt-ends]

  @MS-backgroundPrompt-stop
  Scenario: A command stops the background prompt
    Given the prompts
      | back | 1000 Hz | 0.4 s |
    And getIvrCommand is answered with
      | backgroundPrompt   | {"fileName": "{back}"} |
      | getIVRCommandAfter | 0.5                    |
    And the next getIvrCommand is answered with
      | backgroundPrompt   | {"stop": true} |
      | getIVRCommandAfter | 1.0            |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then back is heard, and not any more after the second command       [MS-backgroundPrompt-stop]

  @MS-backgroundPrompt-url
  Scenario: A background prompt is fetched from a URL
    Given a sound at a URL
    And getIvrCommand is answered with
      | backgroundPrompt   | {"url": "{url}"} |
      | getIVRCommandAfter | 0.5              |
    And the next getIvrCommand is answered with
      | hangup | true |
    When a caller calls the IVR
    Then the sound is fetched from its URL                              [MS-backgroundPrompt-url]

  @MS-ivr-caller-hangs-up @MS-session-completed
  Scenario: No command is asked for when the caller has hung up
    Given the prompts
      | low | 400 Hz | 3 s |
    And getIvrCommand is answered with
      | phrases | [{"fileName": "{low}"}] |
    When a caller calls the IVR
    And the caller hears low begin
    And the caller hangs up
    Then no command follows                                             [MS-ivr-caller-hangs-up]
    And the session is completed                                        [MS-session-completed]

  @MS-interruptivrcommand-new-command @MS-interruptivrcommand-stops @MS-interruptivrcommand-replyId
  @MS-interruptivrcommand-sessionId @MS-getIvrCommand-replyId-accepted
  Scenario: Of two callers, one is interrupted and the other is not
    Given the prompts
      | low | 400 Hz | 6 s |
    And getIvrCommand is answered for each call with
      | phrases | [{"fileName": "{low}"}] |
    And then for each call with
      | getIVRCommandAfter | 60 |
    When a caller calls the IVR and hears low begin
    And another caller calls the IVR and hears low begin
    And the command of the first call is interrupted
    Then the replyId of the command was accepted                        [MS-getIvrCommand-replyId-accepted]
    And a second command is asked for in the first call                 [MS-interruptivrcommand-new-command]
    And the first caller hears low no longer                            [MS-interruptivrcommand-stops]
    And the other command goes on                                       [MS-interruptivrcommand-replyId]
    And the other session has no second command                         [MS-interruptivrcommand-sessionId]
