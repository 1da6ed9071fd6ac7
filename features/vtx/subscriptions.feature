Feature: Call log subscriptions
  An application says of whose calls it wants to be told, where, and until when.

  @VX-subscription-created-listed @VX-subscription-values-kept @VX-subscription-resource-ids
  @VX-subscription-expires-kept @VX-subscription-creator @VX-subscription-application @VX-subscription-created-now
  Scenario: A subscription is kept as it was asked for
    When a call log subscription to two users is made
    Then the subscription is listed as its creation showed it               [VX-subscription-created-listed]
    And notification URL, resource type and users come back as given        [VX-subscription-values-kept]
    And its resource ids are the user ids as text                           [VX-subscription-resource-ids]
    And it ends at the instant that was given                               [VX-subscription-expires-kept]
    And its creator is the login                                            [VX-subscription-creator]
    And its application is the one of the header                            [VX-subscription-application]
    And it was created and modified now                                     [VX-subscription-created-now]

  @VX-subscription-list-complete @VX-subscription-own-id
  Scenario: Several subscriptions to the same user are all in force
    Given 3 call log subscriptions
    Then all these subscriptions are in the list                            [VX-subscription-list-complete]
    And each subscription has an id of its own                              [VX-subscription-own-id]

  @VX-subscription-deleted-gone @VX-subscription-delete-only-one @VX-subscription-deleted-404
  Scenario: A deleted subscription is gone, and only that one
    Given 3 call log subscriptions
    When the second subscription is deleted
    Then that subscription is not in the list any more                      [VX-subscription-deleted-gone]
    And the other subscriptions are in the list                             [VX-subscription-delete-only-one]
    When the same subscription is deleted once more
    Then that deletion is answered 404                                      [VX-subscription-deleted-404]

  @VX-subscription-unknown-404
  Scenario: A subscription that never was cannot be deleted
    Given a call log subscription
    When a subscription that never was is deleted
    Then that deletion is answered 404                                      [VX-subscription-unknown-404]

  @needs-renewal @VX-subscription-extended
  Scenario: A subscription can be extended
    Given a call log subscription
    When its end is moved by a minute
    Then the list shows the new end                                         [VX-subscription-extended]

  @needs-renewal @VX-subscription-expired-gone
  Scenario: A subscription is gone when its time is over
    Given a call log subscription that ends after 1.5 seconds
    When the time of the subscription is over
    Then that subscription is not in the list any more                      [VX-subscription-expired-gone]

  @needs-renewal @VX-subscription-longest-life
  Scenario: No subscription lasts longer than three days
    Given a call log subscription
    When a subscription for four days is asked for
    Then it is refused, or ends within three days                           [VX-subscription-longest-life]
