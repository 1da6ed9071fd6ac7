@needs-callbacks @needs-sip
Feature: Headers of the outgoing leg
  The answers to newCall and callEvent say what stands in the INVITE to the destination.

  @MS-newCall-call-sipFrom @MS-newCall-call-displayName @MS-newCall-call-sipTo @MS-newCall-call-sipPAI
  @MS-newCall-call-sipRPID @MS-newCall-call-sipDiversion @MS-newCall-call-sipDiversionParameters
  @MS-newCall-call-xHeaders @MS-newCall-call-xHeaders-list @MS-newCall-call-pHeaders @MS-newCall-call-pHeaders-list
  @MS-newCall-call-copyHeaders @MS-newCall-call-contactParameters @MS-newCall-call-contactUserParameters
  @MS-callEvent-call-destAddr @MS-callEvent-call-sipFrom-default @MS-callEvent-call-sipTo-default
  @MS-callEvent-call-sipPAI-default @MS-callEvent-call-sipRPID-default @MS-callEvent-call-sipDiversion-default
  Scenario: Members of the answer to newCall stand in the INVITE, and nothing where callEvent leaves them out
    Given a phone bob that answers
    And a phone carol that refuses with 486 Busy Here
    And newCall is answered with
      | action                 | call                                                             |
      | destAddr               | {bob}                                                            |
      | sipFrom                | "46700100201"                                                    |
      | displayName            | "Donald Duck"                                                    |
      | sipTo                  | "46700100202"                                                    |
      | sipPAI                 | "46700100203"                                                    |
      | sipRPID                | "46700100204"                                                    |
      | sipDiversion           | "46700100205"                                                    |
      | sipDiversionParameters | {"reason": "user-busy", "counter": "2"}                          |
      | xHeaders               | {"X-Ringtrue-One": "alpha", "X-Ringtrue-Two": ["beta", "gamma"]} |
      | pHeaders               | {"P-Ringtrue-One": "delta", "P-Ringtrue-Two": ["eta", "theta"]}  |
      | copyHeaders            | ["X-Ringtrue-Copied", "P-Ringtrue-Copied"]                       |
      | contactParameters      | {"ringtrue-line": "7"}                                           |
      | contactUserParameters  | {"ringtrue-group": "9"}                                          |
    And callEvent is answered with
      | action   | call    |
      | destAddr | {carol} |
    And the next callEvent is answered with drop
    When a caller calls the IVR with the headers
      """
      X-Ringtrue-Copied: first
      P-Ringtrue-Copied: second
      """
    And bob is connected
    And bob hangs up
    And carol is called
    Then bob's INVITE has the From user 46700100201                         [MS-newCall-call-sipFrom]
    And bob's INVITE has the From display name Donald Duck                  [MS-newCall-call-displayName]
    And bob's INVITE has the To user 46700100202                            [MS-newCall-call-sipTo]
    And bob's INVITE has the P-Asserted-Identity user 46700100203           [MS-newCall-call-sipPAI]
    And bob's INVITE has the Remote-Party-ID user 46700100204               [MS-newCall-call-sipRPID]
    And bob's INVITE has the Diversion user 46700100205                     [MS-newCall-call-sipDiversion]
    And bob's INVITE has the Diversion parameters reason=user-busy and counter=2  [MS-newCall-call-sipDiversionParameters]
    And bob's INVITE has the header X-Ringtrue-One: alpha                   [MS-newCall-call-xHeaders]
    And bob's INVITE has X-Ringtrue-Two twice: beta and gamma               [MS-newCall-call-xHeaders-list]
    And bob's INVITE has the header P-Ringtrue-One: delta                   [MS-newCall-call-pHeaders]
    And bob's INVITE has P-Ringtrue-Two twice: eta and theta                [MS-newCall-call-pHeaders-list]
    And bob's INVITE has the copied headers X-Ringtrue-Copied: first and P-Ringtrue-Copied: second  [MS-newCall-call-copyHeaders]
    And bob's INVITE has the Contact parameter ringtrue-line=7              [MS-newCall-call-contactParameters]
    And bob's INVITE has the Contact user-part parameter ringtrue-group=9   [MS-newCall-call-contactUserParameters]
    And carol is invited at her own address                                 [MS-callEvent-call-destAddr]
    And carol's INVITE has the caller's number in From                      [MS-callEvent-call-sipFrom-default]
    And carol's INVITE has carol's number in To                             [MS-callEvent-call-sipTo-default]
    And carol's INVITE has no P-Asserted-Identity, but bob's has one        [MS-callEvent-call-sipPAI-default]
    And carol's INVITE has no Remote-Party-ID, but bob's has one            [MS-callEvent-call-sipRPID-default]
    And carol's INVITE has no Diversion, but bob's has one                  [MS-callEvent-call-sipDiversion-default]

  @MS-callEvent-call-sipFrom @MS-callEvent-call-displayName @MS-callEvent-call-sipTo @MS-callEvent-call-sipPAI
  @MS-callEvent-call-sipRPID @MS-callEvent-call-sipDiversion @MS-callEvent-call-sipDiversionParameters
  @MS-callEvent-call-xHeaders @MS-callEvent-call-xHeaders-list @MS-callEvent-call-pHeaders
  @MS-callEvent-call-pHeaders-list @MS-callEvent-call-copyHeaders @MS-callEvent-call-contactParameters
  @MS-callEvent-call-contactUserParameters
  @MS-newCall-call-destAddr @MS-newCall-call-sipFrom-default @MS-newCall-call-sipTo-default
  @MS-newCall-call-sipPAI-default @MS-newCall-call-sipRPID-default @MS-newCall-call-sipDiversion-default
  Scenario: Members of the answer to callEvent stand in the INVITE, and nothing where newCall leaves them out
    Given a phone bob that answers
    And a phone carol that refuses with 486 Busy Here
    And newCall is answered with
      | action   | call  |
      | destAddr | {bob} |
    And callEvent is answered with
      | action                 | call                                                             |
      | destAddr               | {carol}                                                          |
      | sipFrom                | "46700100301"                                                    |
      | displayName            | "Daisy Duck"                                                     |
      | sipTo                  | "46700100302"                                                    |
      | sipPAI                 | "46700100303"                                                    |
      | sipRPID                | "46700100304"                                                    |
      | sipDiversion           | "46700100305"                                                    |
      | sipDiversionParameters | {"reason": "no-answer", "counter": "3"}                          |
      | xHeaders               | {"X-Ringtrue-One": "alpha", "X-Ringtrue-Two": ["beta", "gamma"]} |
      | pHeaders               | {"P-Ringtrue-One": "delta", "P-Ringtrue-Two": ["eta", "theta"]}  |
      | copyHeaders            | ["X-Ringtrue-Copied", "P-Ringtrue-Copied"]                       |
      | contactParameters      | {"ringtrue-line": "8"}                                           |
      | contactUserParameters  | {"ringtrue-group": "6"}                                          |
    And the next callEvent is answered with drop
    When a caller calls the IVR with the headers
      """
      X-Ringtrue-Copied: first
      P-Ringtrue-Copied: second
      """
    And bob is connected
    And bob hangs up
    And carol is called
    Then carol's INVITE has the From user 46700100301                       [MS-callEvent-call-sipFrom]
    And carol's INVITE has the From display name Daisy Duck                 [MS-callEvent-call-displayName]
    And carol's INVITE has the To user 46700100302                          [MS-callEvent-call-sipTo]
    And carol's INVITE has the P-Asserted-Identity user 46700100303         [MS-callEvent-call-sipPAI]
    And carol's INVITE has the Remote-Party-ID user 46700100304             [MS-callEvent-call-sipRPID]
    And carol's INVITE has the Diversion user 46700100305                   [MS-callEvent-call-sipDiversion]
    And carol's INVITE has the Diversion parameters reason=no-answer and counter=3  [MS-callEvent-call-sipDiversionParameters]
    And carol's INVITE has the header X-Ringtrue-One: alpha                 [MS-callEvent-call-xHeaders]
    And carol's INVITE has X-Ringtrue-Two twice: beta and gamma             [MS-callEvent-call-xHeaders-list]
    And carol's INVITE has the header P-Ringtrue-One: delta                 [MS-callEvent-call-pHeaders]
    And carol's INVITE has P-Ringtrue-Two twice: eta and theta              [MS-callEvent-call-pHeaders-list]
    And carol's INVITE has the copied headers X-Ringtrue-Copied: first and P-Ringtrue-Copied: second  [MS-callEvent-call-copyHeaders]
    And carol's INVITE has the Contact parameter ringtrue-line=8            [MS-callEvent-call-contactParameters]
    And carol's INVITE has the Contact user-part parameter ringtrue-group=6 [MS-callEvent-call-contactUserParameters]
    And bob is invited at his own address                                   [MS-newCall-call-destAddr]
    And bob's INVITE has the caller's number in From                        [MS-newCall-call-sipFrom-default]
    And bob's INVITE has bob's number in To                                 [MS-newCall-call-sipTo-default]
    And bob's INVITE has no P-Asserted-Identity, but carol's has one        [MS-newCall-call-sipPAI-default]
    And bob's INVITE has no Remote-Party-ID, but carol's has one            [MS-newCall-call-sipRPID-default]
    And bob's INVITE has no Diversion, but carol's has one                  [MS-newCall-call-sipDiversion-default]

  @MS-newCall-call-callerPrivacy @MS-newCall-call-callerPrivacy-form
  @MS-callEvent-call-callerPrivacy @MS-callEvent-call-callerPrivacy-form
  Scenario: A caller who asks for privacy is not shown, and one who does not is
    Given a phone bob that refuses with 486 Busy Here
    And a phone carol that refuses with 486 Busy Here
    And a phone dave that refuses with 486 Busy Here
    And newCall is answered with
      | action        | call  |
      | destAddr      | {bob} |
      | callerPrivacy | true  |
    And callEvent is answered with
      | action        | call    |
      | destAddr      | {carol} |
      | callerPrivacy | true    |
    And the next callEvent is answered with
      | action   | call   |
      | destAddr | {dave} |
    And the next callEvent is answered with drop
    When a caller calls the IVR
    And dave is called
    Then bob does not see the caller's number, which dave sees              [MS-newCall-call-callerPrivacy]
    And bob's INVITE asks for privacy in a form of RFC 3323                 [MS-newCall-call-callerPrivacy-form]
    And carol does not see the caller's number, which dave sees             [MS-callEvent-call-callerPrivacy]
    And carol's INVITE asks for privacy in a form of RFC 3323               [MS-callEvent-call-callerPrivacy-form]
