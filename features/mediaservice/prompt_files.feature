@needs-prompts
Feature: Prompt files
  An application stores sound files at the platform: what is put there is listed, fetched by a URL, and deleted.

  @MS-prompt-put-listed @MS-prompt-put-size @MS-prompt-url-given @MS-prompt-url-no-reason-on-success
  @MS-prompt-url-fetches @MS-prompt-put-audio @MS-prompt-url-declares-15-minutes
  Scenario: A file that was put is listed, and its URL gives it to anyone
    When a prompt file is put
    Then the list shows it under its name                           [MS-prompt-put-listed]
    And the list shows how many bytes it has                        [MS-prompt-put-size]
    When the URL of the file is asked for
    Then the answer has a URL                                       [MS-prompt-url-given]
    And it has neither reason nor error                             [MS-prompt-url-no-reason-on-success]
    And if the URL tells its life time, it is fifteen minutes       [MS-prompt-url-declares-15-minutes]
    And the URL opens without credentials                           [MS-prompt-url-fetches]
    And the bytes are those that were put                           [MS-prompt-put-audio]

  @MS-prompt-put-replaces
  Scenario: A file is replaced by another one of the same name
    Given a prompt file in the list
    When another file is put under the same name
    Then the name stands once in the list, with the other file      [MS-prompt-put-replaces]

  @MS-prompt-list-complete @MS-prompt-list-next @MS-prompt-list-next-null
  Scenario: The pages of the list show every file, and end
    Given 12 prompt files
    When the list is read to its end
    Then its last page says that there is no other                  [MS-prompt-list-next-null]
    And each page brings files that the ones before did not show    [MS-prompt-list-next]
    And its pages show all these files                              [MS-prompt-list-complete]

  @MS-prompt-deleted-gone @MS-prompt-delete-only-one
  Scenario: A deleted file is gone, and only that one
    Given 3 prompt files in the list
    When one of the files is deleted
    Then that file is not in the list any more                      [MS-prompt-deleted-gone]
    And the other files are in the list                             [MS-prompt-delete-only-one]

  @MS-prompt-url-unknown @MS-prompt-url-only-on-success @MS-prompt-url-reason-on-failure
  Scenario: There is no URL for a file that never was
    Given a prompt file with a URL
    When the URL of a file that never was is asked for
    Then the platform says that it failed                           [MS-prompt-url-unknown]
    And the answer has no URL                                       [MS-prompt-url-only-on-success]
    And if it says so with success false, it tells the reason       [MS-prompt-url-reason-on-failure]

  @needs-s3 @MS-movePromptFile @MS-prompt-move-gone
  @MS-prompt-move-bucketRegion @MS-prompt-move-bucketName @MS-prompt-move-type @MS-prompt-move-type-s3
  @MS-prompt-move-refused-keeps
  Scenario: A file is moved to a bucket when all is said that is needed, and else stays
    Given a prompt file in the list
    When the file is moved to the bucket
    Then the move is carried out                                    [MS-movePromptFile]
    And that file is not in the list any more                       [MS-prompt-move-gone]
    Given a prompt file in the list
    When a move without bucketRegion is asked for
    Then the move is not accepted                                   [MS-prompt-move-bucketRegion]
    When a move without bucketName is asked for
    Then the move is not accepted                                   [MS-prompt-move-bucketName]
    When a move without type is asked for
    Then the move is not accepted                                   [MS-prompt-move-type]
    When a move of another type than s3 is asked for
    Then the move is not accepted                                   [MS-prompt-move-type-s3]
    And the list shows it under its name                            [MS-prompt-move-refused-keeps]
