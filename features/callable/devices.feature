Feature: Flow devices
  An application joins devices to call flows: route starts where numbers enter, gateways behind which trunks ring.

  @CA-device-created-listed @CA-device-gateway-members @CA-device-values-kept
  Scenario: A created gateway is listed with all its values
    Given a gateway
    When a gateway is created with
      | name                  | Büro 前台 |
      | sipGateway.ringTime   | 45      |
      | sipGateway.record     | true    |
    Then the gateway is in the list                         [CA-device-created-listed]
    And the gateway has every member of the sample          [CA-device-gateway-members]
    And the gateway has the values that were given          [CA-device-values-kept]

  @CA-device-created-listed @CA-device-route-start-members @CA-device-values-kept
  Scenario: A created route start is listed with all its values
    Given a route start
    When a route start is created with
      | name | Début – 入口 |
    Then the route start is in the list                     [CA-device-created-listed]
    And the route start has every member of the sample      [CA-device-route-start-members]
    And the route start has the values that were given      [CA-device-values-kept]

  @CA-device-read-is-listed
  Scenario Outline: Each device is read as it is listed
    Given 2 <kind>s
    Then reading each <kind> by its id shows what the list shows    [CA-device-read-is-listed]

    Examples:
      | kind        |
      | gateway     |
      | route start |

  @CA-device-update-shown @CA-device-update-only-one @CA-update-without-body
  Scenario Outline: An updated value of a device shows, and no other device changes
    Given 2 <kind>s
    When <value> of the <which> <kind> becomes "<new>"
    Then the update is answered without a body              [CA-update-without-body]
    And the <kind> shows its new <value>                    [CA-device-update-shown]
    And its id and the other <kind> are as they were        [CA-device-update-only-one]

    Examples:
      | kind        | which  | value                | new                   |
      | gateway     | first  | name                 | Lager                 |
      | gateway     | second | sipGateway.ringTime  | 90                    |
      | gateway     | first  | sipGateway.trunks    | a SIP trunk           |
      | route start | first  | name                 | Nacht                 |
      | route start | second | startRoute.ddis      | a free inbound number |
      | route start | first  | startRoute.connectTo | the id of a gateway   |

  @CA-device-connect-to
  Scenario Outline: A route start connects to a device, or to HANGUP
    Given a gateway
    When a route start is created that connects to <onward>
    Then it is accepted and shows where it connects         [CA-device-connect-to]

    Examples:
      | onward      |
      | the gateway |
      | HANGUP      |

  @CA-device-unknown-404
  Scenario Outline: An unknown device is not found
    Given a <kind>
    When an unknown <kind> is <deed>
    Then that is answered 404                               [CA-device-unknown-404]

    Examples:
      | kind        | deed    |
      | gateway     | read    |
      | gateway     | updated |
      | route start | read    |
