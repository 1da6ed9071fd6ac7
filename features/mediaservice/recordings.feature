@needs-recording
Feature: Recordings
  A call is recorded while an application wants it, or from its beginning to its end; the file is a prompt file.

  @MS-startrecording-replyId @MS-startrecording-connectionId @MS-stoprecording-replyId @MS-stoprecording-connectionId
  @MS-recordingReady @MS-recording-ready @MS-recording-fileName @MS-recording-connectionId @MS-recording-reason-only-on-failure
  @MS-recording-stored @MS-recording-fileSize @MS-recording-not-empty @MS-recording-call-end @MS-recording-ready-once
  Scenario: A connection is recorded until the application says so, and then until it ends
    Given a phone bob that answers
    And a caller who is connected with bob
    When startrecording is sent with a replyId that never was
    And startrecording is sent with a connectionId that never was
    And startrecording is sent for the connection
    Then only the replyId of the connection is accepted                     [MS-startrecording-replyId]
    And only the connectionId of the connection is accepted                 [MS-startrecording-connectionId]
    When the caller and bob speak
    And stoprecording is sent with a replyId that never was
    And stoprecording is sent with a connectionId that never was
    And stoprecording is sent for the connection
    Then only the replyId of the connection is accepted                     [MS-stoprecording-replyId]
    And only the connectionId of the connection is accepted                 [MS-stoprecording-connectionId]
    And recordingReady comes                                                [MS-recordingReady]
    And recordingReady tells of the recording                               [MS-recording-ready]
    And it tells the name that was given                                    [MS-recording-fileName]
    And it tells the connectionId of callAnswered                           [MS-recording-connectionId]
    And it tells no reason, if it was successful                            [MS-recording-reason-only-on-failure]
    And the recording is a prompt file                                      [MS-recording-stored]
    And its size is the fileSize that was told                              [MS-recording-fileSize]
    And there is something in it                                            [MS-recording-not-empty]
    When startrecording is sent for the connection
    And the caller hangs up
    Then recordingReady tells of this recording too                         [MS-recording-call-end]
    And each recording was told of once                                     [MS-recording-ready-once]

  @MS-newCall-call-callRecording @MS-newCall-call-recordingFileName @MS-newCall-call-callRecording-media
  Scenario: An answer to newCall has the whole call recorded
    Given a phone bob that answers
    And newCall is answered with a call to bob that is recorded
    And a caller who is connected with bob
    When the caller and bob speak
    And the caller hangs up
    Then the recording is told of, and is a prompt file                     [MS-newCall-call-callRecording]
    And it tells the name that was given                                    [MS-newCall-call-recordingFileName]
    And the caller and bob are not told each other's media                  [MS-newCall-call-callRecording-media]

  @MS-callEvent-call-callRecording @MS-callEvent-call-recordingFileName @MS-callEvent-call-callRecording-media
  Scenario: An answer to callEvent has the following call recorded
    Given a phone bob that answers
    And a phone carol that answers
    And callEvent is answered with a call to carol that is recorded
    And a caller who is connected with bob
    When bob hangs up
    And the caller and carol speak
    And the caller hangs up
    Then the recording is told of, and is a prompt file                     [MS-callEvent-call-callRecording]
    And it tells the name that was given                                    [MS-callEvent-call-recordingFileName]
    And the caller and carol are not told each other's media                [MS-callEvent-call-callRecording-media]

  @MS-recording-failed
  Scenario: A recording that cannot be kept tells why
    Given a phone bob that answers
    And newCall is answered with a call to bob that is recorded into a folder that is not there
    And a caller who is connected with bob
    When the caller hangs up
    Then if recordingReady tells of a failure, it tells the reason          [MS-recording-failed]
