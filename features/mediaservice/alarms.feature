@needs-alarms @needs-sip @needs-callbacks
Feature: Alarms
  What the platform did not expect it notifies as an alarm: answers that it cannot use, addresses, sounds and sessions.

  @MS-alarm @MS-alarm-newCall-empty @MS-alarm-newCall-no-action @MS-alarm-newCall-unknown-action @MS-alarm-newCall-failed
  @MS-newCall-unusable-answer-ends @MS-alarm-type-fits
  Scenario: An answer to newCall that cannot be used raises an alarm, and the call ends
    When newCall is answered with nothing
    Then the alarm "newCall response empty" is raised                   [MS-alarm-newCall-empty]
    When newCall is answered without an action
    Then the alarm "newCall response without action" is raised          [MS-alarm-newCall-no-action]
    When newCall is answered with an unknown action
    Then the alarm "newCall response with unknown action" is raised     [MS-alarm-newCall-unknown-action]
    When newCall is answered with an error
    Then the alarm "newCall request failed" is raised                   [MS-alarm-newCall-failed]
    When newCall is answered by nobody
    Then the alarm "newCall request failed" is raised                   [MS-alarm-newCall-failed]
    And they are told by alarms                                         [MS-alarm]
    And none of these calls is left hanging                             [MS-newCall-unusable-answer-ends]
    And the alarms are of the type newCallEventError                    [MS-alarm-type-fits]

  @MS-alarm-callEvent-empty @MS-alarm-callEvent-no-action @MS-alarm-callEvent-unknown-action
  @MS-alarm-callEvent-no-response @MS-alarm-type-fits
  Scenario: An answer to callEvent that cannot be used raises an alarm
    When a destination hangs up, and callEvent is answered with nothing
    Then one of the alarms for no answer or no action is raised         [MS-alarm-callEvent-empty]
    When a destination hangs up, and callEvent is answered without an action
    Then the alarm "No action provided in callEvent response" is raised [MS-alarm-callEvent-no-action]
    When a destination hangs up, and callEvent is answered with an unknown action
    Then the alarm "callEvent response with unknown action" is raised   [MS-alarm-callEvent-unknown-action]
    When a destination hangs up, and callEvent is answered by nobody
    Then the alarm "No response to callEvent request" is raised         [MS-alarm-callEvent-no-response]
    And the alarms are of the type callEventError                       [MS-alarm-type-fits]

  @needs-ivr @MS-alarm-getIvrCommand-empty @MS-alarm-getIvrCommand-failed @MS-alarm-type-fits
  Scenario: An answer to getIvrCommand that cannot be used raises an alarm
    When getIvrCommand is answered with nothing
    Then the alarm "Empty body in getIvrCommand response" is raised     [MS-alarm-getIvrCommand-empty]
    When getIvrCommand is answered with an error
    Then the alarm "getIvrCommand request error" is raised              [MS-alarm-getIvrCommand-failed]
    And the alarms are of the type ivrCommandError                      [MS-alarm-type-fits]

  @MS-alarm-invalid-address @MS-alarm-type-fits
  Scenario: A destination that is no SIP URI raises an alarm
    When newCall is answered with the destination "nowhere"
    Then the alarm "Invalid sip address:" is raised                     [MS-alarm-invalid-address]
    And the alarms are of the type callError                            [MS-alarm-type-fits]

  @needs-ivr @MS-alarm-invalidSdp
  Scenario: A session description without sense raises an alarm
    When a caller calls the IVR with an SDP without sense
    Then the alarm "invalidSdp" is raised                               [MS-alarm-invalidSdp]

  @needs-ivr @needs-prompts @MS-alarm-phraseError @MS-alarm-sessionId @MS-alarm-domain
  Scenario: A phrase that cannot be played raises an alarm, which names the call
    When a caller calls the IVR, and one of its phrases is not in the storage
    Then the alarm "phraseError" is raised                              [MS-alarm-phraseError]
    And it names the session of the call                                [MS-alarm-sessionId]
    And it names the domain of the tenant                               [MS-alarm-domain]

  @needs-ivr @MS-alarm-only-when-unexpected
  Scenario: A call in which all goes well raises no alarm
    Given newCall is answered with action ivr
    When a caller calls the IVR
    And the session has ended
    Then no alarm was raised                                            [MS-alarm-only-when-unexpected]
