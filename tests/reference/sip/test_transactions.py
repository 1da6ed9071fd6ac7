"""Transactions: retransmission, absorption, time-outs, and that all of them end."""

from __future__ import annotations

from harness.reference.sip import Address, Request, Response, SipTimers, parse, response_to
from harness.reference.sip.transactions import ClientTransaction, ServerTransaction, TransactionTable, Wire, server_key

from .support import request_text, run, until

UDP, TCP = Address("127.0.0.1", 9, "udp"), Address("127.0.0.1", 9, "tcp")


class Recorder(Wire):
    """A wire that keeps what is sent."""

    def __init__(self) -> None:
        self.timers = SipTimers(t1=0.01, t2=0.04, t4=0.05)
        self.sent: list[bytes] = []

    def transmit(self, message: Request | Response, address: Address) -> bytes:
        assert address
        self.sent.append(message.serialise())
        return self.sent[-1]

    def repeat(self, data: bytes, address: Address) -> None:
        assert address
        self.sent.append(data)


class Watch:
    """A client transaction with what it reported."""

    def __init__(self, method: str, address: Address) -> None:
        self.wire, self.table = Recorder(), TransactionTable()
        self.responses: list[int] = []
        self.failures: list[str] = []
        self.request = message(method)
        self.transaction = ClientTransaction(
            self.wire, self.request, address, lambda r: self.responses.append(r.status), self.failures.append
        )
        self.table.add_client(self.transaction)
        self.transaction.start()

    def answer(self, status: int) -> None:
        self.transaction.receive(response_to(self.request, status, to_tag="t"))

    async def gone(self) -> None:
        await until(lambda: self.table.counts == (0, 0), lambda: self.transaction.state)


def message(method: str, **changes: str) -> Request:
    parsed = parse(request_text(method, **changes).encode())  # type: ignore[arg-type]
    assert isinstance(parsed, Request)
    return parsed


def methods(sent: list[bytes]) -> list[str]:
    return [data.split(b" ", 2)[0 if not data.startswith(b"SIP/") else 1].decode() for data in sent]


def test_an_unanswered_invite_is_repeated_and_then_fails() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", UDP)
        await watch.gone()
        assert watch.failures == ["timeout"]
        assert methods(watch.wire.sent) == ["INVITE"] * 7  # at 0, 1, 3, 7, 15, 31 and 63 times T1

    run(scenario())


def test_an_unanswered_request_is_repeated_at_t2_at_the_most() -> None:
    async def scenario() -> None:
        watch = Watch("OPTIONS", UDP)
        await watch.gone()
        assert watch.failures == ["timeout"]
        assert 12 <= len(watch.wire.sent) <= 19

    run(scenario())


def test_nothing_is_repeated_over_tcp() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", TCP)
        await watch.gone()
        assert (watch.failures, len(watch.wire.sent)) == (["timeout"], 1)

    run(scenario())


def test_a_provisional_response_stops_the_repetition_of_an_invite_without_limit() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", UDP)
        watch.answer(180)
        sent = len(watch.wire.sent)
        other = Watch("OPTIONS", UDP)
        await other.gone()
        assert (watch.responses, watch.failures, len(watch.wire.sent)) == ([180], [], sent)
        watch.answer(486)
        await watch.gone()

    run(scenario())


def test_each_repeated_refusal_is_acknowledged_and_reported_once() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", UDP)
        for _ in range(3):
            watch.answer(486)
        assert watch.responses == [486]
        assert methods(watch.wire.sent) == ["INVITE", "ACK", "ACK", "ACK"]
        ack = parse(watch.wire.sent[1])
        assert isinstance(ack, Request)
        assert (ack.via.branch, ack.to.tag, ack.cseq) == (watch.request.via.branch, "t", (1, "ACK"))
        await watch.gone()

    run(scenario())


def test_each_repeated_answer_to_an_invite_is_reported_for_its_ack() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", UDP)
        watch.answer(200)
        watch.answer(200)
        watch.answer(486)
        assert watch.responses == [200, 200]
        await watch.gone()
        assert watch.failures == []

    run(scenario())


def test_a_repeated_request_gets_the_last_response_again() -> None:
    async def scenario() -> None:
        wire, table = Recorder(), TransactionTable()
        request = message("OPTIONS")
        transaction = ServerTransaction(wire, request, UDP)
        table.add_server(transaction)
        transaction.receive(request)
        assert wire.sent == []
        transaction.respond(response_to(request, 200))
        transaction.respond(response_to(request, 500))
        transaction.receive(request)
        assert methods(wire.sent) == ["200", "200"]
        await until(lambda: table.counts == (0, 0), lambda: transaction.state)

    run(scenario())


def test_a_refusal_of_an_invite_is_repeated_until_its_ack() -> None:
    async def scenario() -> None:
        wire, table = Recorder(), TransactionTable()
        invite = message("INVITE")
        transaction = ServerTransaction(wire, invite, UDP)
        table.add_server(transaction)
        transaction.respond(response_to(invite, 486))
        await until(lambda: len(wire.sent) >= 4, lambda: len(wire.sent))
        transaction.receive(message("ACK"))
        sent = len(wire.sent)
        transaction.receive(invite)
        await until(lambda: table.counts == (0, 0), lambda: transaction.state)
        assert len(wire.sent) == sent

    run(scenario())


def test_a_refusal_without_ack_ends_all_the_same() -> None:
    async def scenario() -> None:
        wire, table = Recorder(), TransactionTable()
        invite = message("INVITE")
        transaction = ServerTransaction(wire, invite, TCP)
        table.add_server(transaction)
        transaction.respond(response_to(invite, 486))
        await until(lambda: table.counts == (0, 0), lambda: transaction.state)
        assert len(wire.sent) == 1

    run(scenario())


def test_transactions_of_old_peers_without_a_branch_are_told_apart() -> None:
    old = message("INVITE", branch="1")
    assert server_key(old) == server_key(message("INVITE", branch="1"))
    assert server_key(old) != server_key(message("INVITE", branch="1", call_id="other"))
    assert server_key(message("INVITE")) != server_key(message("INVITE", branch="z9hG4bK2"))


def test_a_dead_address_fails_what_waits_for_it() -> None:
    async def scenario() -> None:
        watch = Watch("INVITE", TCP)
        watch.table.fail_address(UDP)
        assert watch.failures == []
        watch.table.fail_address(TCP)
        assert watch.failures == ["transport"]
        assert watch.table.counts == (0, 0)

    run(scenario())
