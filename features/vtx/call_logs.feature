@needs-callbacks
Feature: Call log push
  When a call of a subscribed user is over, its call log is posted to the notification URL of the subscription.

  @VX-push-at-call-end @VX-push-host @VX-push-subscription-id @VX-push-user-id
  @VX-push-context-user @VX-push-direction @VX-push-change-type @VX-push-call-type @VX-push-once
  Scenario: The call log of an outgoing call is pushed once, when it is over
    Given users A and B
    And a subscription to the calls of user A
    When user A calls user B
    Then the call log of the call is pushed                                 [VX-push-at-call-end]
    And it goes to the host of the notification URL                         [VX-push-host]
    And it carries the id of the subscription                               [VX-push-subscription-id]
    And it carries the id of a subscribed user                              [VX-push-user-id]
    And its user is shown by id and by login name                           [VX-push-context-user]
    And the direction is that of the user's part in the call                [VX-push-direction]
    And the change type is that of a new call log                           [VX-push-change-type]
    And the call type is that of a voice call                               [VX-push-call-type]
    And it is pushed once                                                   [VX-push-once]

  @VX-push-at-call-end @VX-push-user-id @VX-push-direction
  Scenario: The call log of an incoming call is pushed
    Given users A and B
    And a subscription to the calls of user A
    When user B calls user A
    Then the call log of the call is pushed                                 [VX-push-at-call-end]
    And it carries the id of a subscribed user                              [VX-push-user-id]
    And the direction is that of the user's part in the call                [VX-push-direction]

  @VX-push-both-users @VX-push-direction @VX-push-own-log-id
  Scenario: A call between two subscribed users gives a call log for each
    Given users A and B
    And a subscription to the calls of users A and B
    When user A calls user B
    Then a call log is pushed for each of the two users                     [VX-push-both-users]
    And the direction is that of the user's part in the call                [VX-push-direction]
    And each call log has an id of its own                                  [VX-push-own-log-id]

  @VX-push-not-before-end @VX-push-duration @VX-push-call-start @VX-push-event-time
  Scenario: A call log tells when the call was and how long it lasted
    Given users A and B
    And a subscription to the calls of user A
    When user A calls user B, who rings for two seconds, and they talk for 2.5 seconds
    Then nothing was pushed before the call was over                        [VX-push-not-before-end]
    And its duration is the time from answer to hang-up                     [VX-push-duration]
    And its start lies between INVITE and answer                            [VX-push-call-start]
    And its event time lies between the end of the call and the push        [VX-push-event-time]

  @VX-push-unanswered @VX-push-duration-unanswered
  Scenario: A call to a busy user is pushed when it has failed
    Given users A and B
    And a subscription to the calls of user A
    When user A calls user B, who is busy
    Then the call log of the attempt is pushed                              [VX-push-unanswered]
    And its duration is nought                                              [VX-push-duration-unanswered]

  @VX-push-unanswered @VX-push-duration-unanswered
  Scenario: A call that nobody answers is pushed when the caller has given up
    Given users A and B
    And a subscription to the calls of user A
    When user A calls user B and gives up while it rings
    Then the call log of the attempt is pushed                              [VX-push-unanswered]
    And its duration is nought                                              [VX-push-duration-unanswered]

  @VX-push-each-call @VX-push-own-log-id
  Scenario: The next call of a user is pushed as well
    Given users A and B
    And a subscription to the calls of user A
    When user A calls user B
    And user A calls user B again
    Then a call log is pushed for each call                                 [VX-push-each-call]
    And each call log has an id of its own                                  [VX-push-own-log-id]

  @needs-pstn @VX-push-dialled-number @VX-push-party-number
  Scenario Outline: A call to an outside number shows what was dialled, and whom that means
    Given users A and B
    And a subscription to the calls of user A
    When user A calls an outside number <form>
    Then the dialled number is shown as it was dialled                      [VX-push-dialled-number]
    And the other party is shown by its number                              [VX-push-party-number]

    Examples:
      | form                 |
      | in full              |
      | in its national form |
      | after 00             |

  @VX-push-other-users
  Scenario: Calls of other users are not pushed
    Given users A, B and C
    And a subscription to the calls of user A
    When user A calls user B
    And user B calls user C
    Then nothing is pushed for the call without user A                      [VX-push-other-users]

  @VX-push-each-subscription
  Scenario: Two subscriptions to one user are both told of a call
    Given users A and B
    And a subscription to the calls of user A
    And another subscription to the calls of user A
    When user A calls user B
    Then both subscriptions are told of it, each under its own id           [VX-push-each-subscription]

  @VX-push-exact-url
  Scenario: A notification URL may have a path and a query
    Given users A and B
    And a subscription to the calls of user A whose URL ends in "/logs/new?tenant=7&name=a%20b"
    When user A calls user B
    Then it goes to exactly the notification URL                            [VX-push-exact-url]

  @VX-push-not-after-delete
  Scenario: Nothing is pushed for a deleted subscription
    Given users A and B
    And a subscription to the calls of user A
    And another subscription to the calls of user A
    When the first subscription is deleted
    And user A calls user B
    Then nothing is pushed for the subscription that is over                [VX-push-not-after-delete]

  @VX-push-not-after-expiry
  Scenario: Nothing is pushed for a subscription whose time is over
    Given users A and B
    And a subscription to the calls of user A that ends after 1.5 seconds
    And another subscription to the calls of user A
    When the first subscription is over
    And user A calls user B
    Then nothing is pushed for the subscription that is over                [VX-push-not-after-expiry]

  @VX-push-after-failure
  Scenario: A receiver that failed once is told of the next call
    Given users A and B
    And a subscription to the calls of user A whose receiver fails once
    When user A calls user B
    And the receiver has failed
    And user A calls user B again
    Then the call log of the second call is pushed                          [VX-push-after-failure]
