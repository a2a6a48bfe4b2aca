"""Which area plants at which station of the chain, always in the same order."""

from __future__ import annotations

from dataclasses import dataclass

from mingcha.synth.plant import (
    collection,
    connection,
    control,
    metering,
    planter,
    pricing,
    pricing_category,
    pricing_difference,
    pricing_parts,
    pricing_structure,
    reading,
    usage,
    usage_more,
)

# station -> what is planted there, in this order
STATIONS: dict[str, tuple[planter.Step, ...]] = {
    "cast": (
        connection.cast_transformers,
        connection.cast_stuck_tickets,
        connection.cast_unbilled,
        connection.cast_closed,
        metering.cast_ratios,
        metering.cast_billed_multiplier,
        metering.cast_runaways,
        metering.cast_stopped,
        metering.cast_backwards,
        metering.cast_removals,
        reading.cast_wrong_ends,
        reading.cast_unread,
        reading.cast_wrong_starts,
        reading.cast_wrong_arithmetic,
        reading.cast_negative,
        reading.cast_altered,
        usage.cast_sudden,
        usage.cast_zero,
        pricing.cast_twice,
        pricing.cast_unbilled,
        pricing.cast_adjustments,
        collection.cast_bank,
        collection.cast_false_receipts,
        collection.cast_transfers,
        control.cast_self_approval,
        control.cast_contradictions,
        pricing_category.cast_honest,
        pricing_difference.cast_differences,
        pricing_parts.cast_capacity,
        pricing_category.cast_industries,
        pricing_category.cast_large_homes,
        pricing_category.cast_farms,
        pricing_category.cast_no_tou,
        pricing_category.cast_one_part,
        pricing_structure.cast_fixed,
        pricing_structure.cast_codes,
        pricing_structure.cast_losses,
        pricing_structure.cast_subs,
        pricing_parts.cast_standards,
        pricing_parts.cast_factors,
        usage_more.cast_exporting,
        usage_more.cast_opened,
        usage_more.cast_fallen,
        usage_more.cast_overloaded,
    ),
    "metering": (
        connection.detach_points,
        connection.hand_over,
        metering.hang_other_ratios,
        collection.group_accounts,
        control.move_to_stopped_feeder,
        pricing_category.rename_industries,
        pricing_structure.change_codes,
        pricing_structure.hang_subs,
        pricing_parts.name_workshop,
    ),
    "readings": (
        connection.unread_points,
        connection.go_on_using,
        metering.bill_with_other_multiplier,
        metering.run_away,
        metering.stand_still,
        metering.run_backwards,
        metering.write_wrong_removals,
        reading.write_wrong_ends,
        reading.leave_unread,
        reading.write_wrong_starts,
        reading.write_wrong_arithmetic,
        reading.write_negative,
        usage.silence,
        pricing.stop_use,
        pricing_parts.compensate,
        usage_more.feed_back,
        usage_more.count_less,
    ),
    "charges": (
        pricing_structure.bill_by_other_codes,
        pricing_structure.leave_losses,
        pricing_structure.bill_subs,
        pricing_parts.charge_capacity,
        pricing_parts.forget_reactive,
        pricing_difference.charge_differently,
    ),
    "factor": (
        pricing_parts.charge_factors,
        pricing_difference.charge_other_factor,
    ),
    "bills": (
        connection.unbill,
        connection.hand_over_bills,
        reading.bill_negative,
        reading.alter_readings,
        pricing.bill_twice,
        pricing.leave_unbilled,
        collection.leave_open,
        control.approve_own_bill,
        control.system_bill,
    ),
    "receipts": (
        collection.pay_by_transfer,
        collection.undo_receipts,
        collection.shuffle,
        control.reverse_own_receipt,
    ),
    "books": (
        connection.write_stuck_tickets,
        connection.change_transformers,
        metering.open_meter_change,
        metering.write_events,
        metering.line_out,
        usage.write_facts,
        pricing.write_adjustments,
        collection.spoil_statements,
        collection.name_change,
        control.approve_own_acts,
        control.contradict,
        pricing_category.entitle,
        pricing_category.free_direct_user,
        pricing_structure.write_price_ticket,
        usage_more.apply_for_connection,
        usage_more.write_openings,
    ),
}


@dataclass(frozen=True, slots=True)
class Chain:
    """The planting of one utility."""

    planter: planter.Planter

    def at(self, station: str) -> None:
        """Plant what belongs to this station: a key of STATIONS."""
        for step in STATIONS.get(station, ()):
            step(self.planter)
