@needs-sip @needs-callbacks
Feature: Incoming calls
  A call that arrives at the IVR is announced with newCall, which reports what its INVITE says.

  @MS-newCall @MS-newCall-once @MS-newCall-sipCallId @MS-newCall-calledParty @MS-newCall-callingParty-from
  @MS-newCall-fromUser @MS-newCall-displayName-absent @MS-newCall-diversionHeaders-absent
  @MS-newCall-referredBy-absent @MS-newCall-srcAddr @MS-newCall-privacy-public @MS-callback-path
  Scenario: A plain call is announced once, by who calls whom
    Given newCall is answered with action drop
    When a caller calls the IVR
    Then newCall announces the call                                 [MS-newCall]
    And its sipCallId is the Call-ID of the INVITE                  [MS-newCall-sipCallId]
    And its calledParty is what was dialled                         [MS-newCall-calledParty]
    And its callingParty is the user of From                        [MS-newCall-callingParty-from]
    And its fromUser is the user of From                            [MS-newCall-fromUser]
    And its srcAddr is the address of the caller                    [MS-newCall-srcAddr]
    And it has no displayName, since From has none                  [MS-newCall-displayName-absent]
    And it has no diversionHeaders, since the INVITE has none       [MS-newCall-diversionHeaders-absent]
    And it has no referredBy, since the INVITE has none             [MS-newCall-referredBy-absent]
    And its callingPartyPrivacy is public                           [MS-newCall-privacy-public]
    And each callback is a POST to its own name                     [MS-callback-path]
    And the call is announced only once                             [MS-newCall-once]

  @MS-newCall-displayName-from @MS-newCall-privacy-secret
  Scenario: A caller has a name, and wants privacy
    Given newCall is answered with action drop
    When a caller named "Bo Ek" calls the IVR with the headers
      """
      Privacy: id
      """
    Then its displayName is the name in From                        [MS-newCall-displayName-from]
    And its callingPartyPrivacy is secret                           [MS-newCall-privacy-secret]

  @MS-newCall-callingParty-pai @MS-newCall-displayName-pai @MS-newCall-paiNumber @MS-newCall-fromUser
  Scenario: An asserted identity counts more than From
    Given newCall is answered with action drop
    When a caller named "Bo Ek" calls the IVR with the headers
      """
      P-Asserted-Identity: "Asta Berg" <sip:+46812345678@ringtrue.example>
      """
    Then its callingParty is the user of the asserted identity      [MS-newCall-callingParty-pai]
    And its displayName is the name in the asserted identity        [MS-newCall-displayName-pai]
    And its paiNumber is the number in the asserted identity        [MS-newCall-paiNumber]
    And its fromUser is the user of From                            [MS-newCall-fromUser]

  @MS-newCall-xHeaders @MS-newCall-xHeaders-repeated @MS-newCall-pHeaders @MS-newCall-pHeaders-repeated
  @MS-newCall-diversionHeaders @MS-newCall-referredBy @MS-newCall-subject @MS-newCall-copyHeaders
  Scenario: Headers of the INVITE are reported
    Given newCall is answered with action drop
    When a caller calls the IVR with the headers
      """
      X-Account: 4711; level=gold
      X-Tag: first
      X-Tag: second
      P-Charging-Vector: icid-value=ringtrue1
      P-Early-Media: supported
      P-Early-Media: gated
      Diversion: <sip:+46811111111@ringtrue.example>;reason=no-answer;counter=1
      Referred-By: <sip:asta@ringtrue.example>
      Subject: A question
      """
    Then its xHeaders hold the X- headers                           [MS-newCall-xHeaders]
    And its xHeaders list the X- header that stands twice           [MS-newCall-xHeaders-repeated]
    And its pHeaders hold the P- headers                            [MS-newCall-pHeaders]
    And its pHeaders list the P- header that stands twice           [MS-newCall-pHeaders-repeated]
    And its diversionHeaders are those of the INVITE                [MS-newCall-diversionHeaders]
    And its referredBy is that of the INVITE                        [MS-newCall-referredBy]
    And its subject is that of the INVITE                           [MS-newCall-subject]
    And its copyHeaders, if it has any, name X- and P- headers      [MS-newCall-copyHeaders]
