"""Lists of access: members' roles, what tokens may do, decisions on agreements and on roles."""

from registry.vocabulary.code import Code


class MembershipRole(Code):
    """What a member does at one site."""

    REPORTER = "reporter", "Reporter", "Enters and submits events."
    LEAD = "lead", "Lead", "Reports, withdraws, declares exposure, and sees who the members are."


class TokenScope(Code):
    """What a token may be used for, within what its user may do."""

    READ_STATISTICS = "read-statistics", "Read statistics", "Ask for statistics."
    WRITE_EVENTS = "write-events", "Write events", "Enter and change rows of own sites."
    READ_ROWS = "read-rows", "Read rows", "Read rows of own sites."


class AgreementDecision(Code):
    """What became of a request for an agreement; blank while nobody has decided."""

    FIRST_GRANT = "first-grant", "Granted once", "Waits for a second data manager."
    GRANTED = "granted", "Granted", "Holds to its last day."
    DECLINED = "declined", "Declined", "Turned down, with a reason."
    WITHDRAWN = "withdrawn", "Withdrawn", "Taken back by the researcher before it was granted."
    ENDED = "ended", "Ended early", "Ended by a data manager before its last day, with a reason."


class ProposalDecision(Code):
    """What became of a proposed role; blank while nobody has decided."""

    CONFIRMED = "confirmed", "Confirmed", "A second data manager confirmed it: it is in force."
    DECLINED = "declined", "Declined", "Turned down by a second data manager."
    WITHDRAWN = "withdrawn", "Withdrawn", "Taken back by who proposed it."
    EXPIRED = "expired", "Expired", "Not decided in time, and proposed anew."
