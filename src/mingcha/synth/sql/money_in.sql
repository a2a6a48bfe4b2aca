-- :: due
CREATE OR REPLACE TABLE rc0 AS
WITH a AS (
    SELECT b.bill_id, b.customer_id, b.n, b.m, b.amount, b.issued_at, b.due_on, c.pay, c.kind, c.station_org, c.county_org, c.cid,
        -- the debt for which the supply was cut: paid that afternoon, or never
        CASE WHEN c.cut_on IS NOT NULL AND b.due_on BETWEEN c.cut_on - 62 AND c.cut_on - 31 THEN c.trait END AS debt, c.cut_on,
        rnd2(b.n, b.m, 702) AS late, rnd2(b.n, b.m, 703) AS r3, rnd2(b.n, b.m, 704) AS r4
    FROM t_bill b JOIN c USING (n)
    WHERE b.kind IN ('regular', 'reissue') AND b.status = 'open' AND b.amount > 0
        AND NOT EXISTS (SELECT 1 FROM never_paid x WHERE x.bill_id = b.bill_id)
        AND NOT (c.trait = 'closed' AND rnd(c.n, 701) < 0.15 AND b.billing_period = ym_of(c.closed_on))
),
d AS (
    SELECT * EXCLUDE (cut_on), CASE WHEN debt = 'cut' THEN cut_on ELSE CAST(issued_at AS DATE) + CASE WHEN pay = 'prepaid' THEN 0 WHEN late < 0.02 THEN 29 + CAST(floor(30 * r3) AS INTEGER)
        ELSE 1 + CAST(floor(22 * r3 * r3) AS INTEGER) END END AS day FROM a WHERE debt IS DISTINCT FROM 'cutnow'
)
SELECT *, CASE WHEN pay = 'counter' THEN CASE WHEN r4 < 0.7 THEN 'cash' WHEN r4 < 0.85 THEN 'qr' ELSE 'card' END
        WHEN pay IN ('online', 'third_party') THEN 'qr' ELSE 'transfer' END AS instrument,
    CASE pay WHEN 'transfer' THEN 'bank' WHEN 'prepaid' THEN 'online' ELSE pay END AS channel,
    'E' || station_org || 'C' || (1 + n % 2) AS cashier
FROM d WHERE day <= DATE '{data_date}';

CREATE OR REPLACE MACRO batch_ref(org, day, channel) AS 'T' || org || strftime(day, '%Y%m%d') || upper(channel[1:2]);

-- :: receipts
CREATE OR REPLACE TABLE t_receipt AS
WITH parts AS (
    -- a part of the counter's customers pay in two goes
    SELECT *, pay = 'counter' AND instrument = 'cash' AND r3 > 0.93 AS split FROM rc0
)
SELECT 'Q' || substr(bill_id, 2) || 'A' AS receipt_id, customer_id, bill_id,
    at_hour(day, CASE WHEN pay = 'prepaid' THEN 18 WHEN debt = 'cut' THEN 15 ELSE 8.5 + 9 * r4 END) AS received_at,
    CASE WHEN split THEN CAST(round(amount * 0.6, 2) AS DECIMAL(18,2)) ELSE amount END AS amount,
    CASE WHEN pay = 'prepaid' THEN 'prepayment_use' ELSE 'payment' END AS kind, channel,
    CASE WHEN pay <> 'prepaid' THEN instrument END AS instrument, CAST(NULL AS VARCHAR) AS payer_name,
    CAST(NULL AS VARCHAR) AS counterpart_customer_id, CASE WHEN channel = 'counter' THEN cashier END AS cashier_id,
    CAST(NULL AS VARCHAR) AS approved_by,
    CASE WHEN pay = 'prepaid' OR instrument = 'cash' THEN NULL WHEN pay = 'transfer' THEN 'N' || bill_id
        ELSE batch_ref(station_org, day, channel) END AS bank_reference,
    CAST(NULL AS VARCHAR) AS reversed_receipt_id, station_org, county_org, n
FROM parts
UNION ALL
SELECT 'Q' || substr(bill_id, 2) || 'B', customer_id, bill_id, at_hour(day + 2, 9 + 6 * r4),
    amount - CAST(round(amount * 0.6, 2) AS DECIMAL(18,2)), 'payment', channel, instrument, NULL, NULL, cashier, NULL, NULL, NULL,
    station_org, county_org, n
FROM parts WHERE split AND day + 2 <= DATE '{data_date}'
UNION ALL
-- prepaid customers fill their purse the day before the bill
SELECT 'Q' || substr(bill_id, 2) || 'P', customer_id, NULL, at_hour(CAST(issued_at AS DATE) - 1, 9 + 9 * r4),
    CAST(ceil(amount / 10) * 10 + CASE WHEN m % 3 = 0 THEN 10 ELSE 0 END AS DECIMAL(18,2)), 'prepayment', 'online', 'qr', NULL, NULL,
    NULL, NULL, batch_ref(station_org, CAST(issued_at AS DATE) - 1, 'online'), NULL, station_org, county_org, n
FROM parts WHERE pay = 'prepaid';
UPDATE t_receipt SET payer_name = t_customer.name FROM t_customer
WHERE t_customer.customer_id = t_receipt.customer_id AND bank_reference LIKE 'N%';

-- :: slips
-- slips of the counter, put right the same day: typed again, or moved to the right account
CREATE OR REPLACE TABLE slip AS
SELECT r.*, other.cid AS wrong_cid, rnd2(r.n, CAST(strftime(received_at, '%y%m') AS INTEGER), 706) < 0.5 AS wrong_account
FROM t_receipt r
LEFT JOIN (SELECT cid, station_org, row_number() OVER (PARTITION BY station_org ORDER BY rnd(n, 705), n) AS i FROM c
    WHERE plain AND kind = 'home') other ON other.station_org = r.station_org AND other.i = 1
WHERE r.instrument = 'cash' AND r.kind = 'payment' AND right(receipt_id, 1) = 'A' AND dayofmonth(received_at) BETWEEN 11 AND 26
    AND rnd2(r.n, CAST(strftime(received_at, '%y%m') AS INTEGER), 707) < 0.02 AND other.cid <> r.customer_id;

INSERT INTO t_receipt BY NAME
SELECT replace(receipt_id, 'Q', 'QW') AS receipt_id, CASE WHEN wrong_account THEN wrong_cid ELSE customer_id END AS customer_id,
    CASE WHEN wrong_account THEN NULL ELSE bill_id END AS bill_id, received_at - INTERVAL 20 MINUTE AS received_at, amount, kind,
    channel, instrument, cashier_id, station_org, county_org, n FROM slip
UNION ALL BY NAME
SELECT replace(receipt_id, 'Q', 'QV') AS receipt_id, CASE WHEN wrong_account THEN wrong_cid ELSE customer_id END AS customer_id,
    CASE WHEN wrong_account THEN NULL ELSE bill_id END AS bill_id, received_at - INTERVAL 10 MINUTE AS received_at,
    -amount AS amount, 'reversal' AS kind, channel, instrument, cashier_id, 'E' || station_org || 'M1' AS approved_by,
    replace(receipt_id, 'Q', 'QW') AS reversed_receipt_id, station_org, county_org, n FROM slip;

-- :: transfers
CREATE OR REPLACE TABLE grouped AS
SELECT n, cid, station_org, county_org, group_id, row_number() OVER (PARTITION BY group_id ORDER BY n) AS i,
    count(*) OVER (PARTITION BY group_id) AS many FROM c WHERE group_id IS NOT NULL AND status = 'active';

INSERT INTO t_receipt BY NAME
SELECT 'QT' || g.group_id || mo.m || g.i AS receipt_id, g.cid AS customer_id, at_hour(mo.d0 + 11, 10 + g.i) AS received_at,
    CASE WHEN g.i = 1 THEN -50.00 ELSE 50.00 END AS amount, CASE WHEN g.i = 1 THEN 'transfer_out' ELSE 'transfer_in' END AS kind,
    'counter' AS channel, 'other' AS instrument, o.cid AS counterpart_customer_id, 'E' || g.station_org || 'C1' AS cashier_id,
    'E' || g.county_org || 'M2' AS approved_by, g.station_org, g.county_org, g.n
FROM grouped g JOIN grouped o ON o.group_id = g.group_id AND o.i = 3 - g.i
JOIN mo ON mo.m IN ({months} - 1, {months} - 4) AND mo.m >= 0 WHERE g.i IN (1, 2)
UNION ALL BY NAME
SELECT 'QP' || group_id || mo.m AS receipt_id, cid AS customer_id, at_hour(mo.d0 + 5, 10) AS received_at, 50.00 AS amount,
    'prepayment' AS kind, 'counter' AS channel, 'cash' AS instrument, 'E' || station_org || 'C1' AS cashier_id, station_org,
    county_org, n
FROM grouped JOIN mo ON mo.m IN ({months} - 1, {months} - 4) AND mo.m >= 0 WHERE i = 1 AND many > 1;

INSERT INTO t_receipt BY NAME
SELECT 'QR' || a.adjustment_id AS receipt_id, a.customer_id, a.approved_at + INTERVAL 2 DAY AS received_at, -a.amount AS amount,
    'refund' AS kind, 'bank' AS channel, 'transfer' AS instrument, a.applied_by AS cashier_id, a.approved_by, c.station_org,
    c.county_org, c.n
FROM t_adjustment a JOIN c USING (n) WHERE a.kind = 'refund' AND a.approved_at + INTERVAL 2 DAY < DATE '{data_date}';

-- :: late
CREATE OR REPLACE TABLE t_late_fee AS
SELECT 'LF' || substr(bill_id, 2) AS late_fee_id, bill_id, date_diff('day', due_on, day) AS days,
    CAST(round(amount * CASE WHEN kind = 'home' THEN 0.001 ELSE 0.002 END * date_diff('day', due_on, day), 2) AS DECIMAL(18,2))
        AS computed, CAST(0 AS DECIMAL(18,2)) AS charged, CAST(0 AS DECIMAL(18,2)) AS waived, CAST(NULL AS VARCHAR) AS approved_by,
    customer_id, day, cashier, station_org, county_org, n, CASE WHEN debt = 'cut' THEN 0.72 ELSE r4 END AS r4
FROM rc0 WHERE day > due_on AND pay <> 'prepaid';
DELETE FROM t_late_fee WHERE computed < 0.01;
UPDATE t_late_fee SET charged = computed;
INSERT INTO t_receipt BY NAME
SELECT 'QL' || substr(bill_id, 2) AS receipt_id, customer_id, bill_id, at_hour(day, 8.6 + 9 * r4) AS received_at, charged AS amount,
    'late_fee' AS kind, 'counter' AS channel, 'cash' AS instrument, cashier AS cashier_id, station_org, county_org, n FROM t_late_fee;

CREATE OR REPLACE TABLE t_write_off AS
SELECT b.bill_id, b.amount, CAST(b.issued_at AS DATE) + 60 AS written_off_on, 'deregistered' AS proof, 3 AS evidence_count,
    'E' || c.county_org || 'M2' AS approved_by
FROM t_bill b JOIN c USING (n)
WHERE c.trait = 'closed' AND rnd(c.n, 701) < 0.15 AND b.billing_period = ym_of(c.closed_on) AND b.kind = 'regular' AND b.amount > 0
    AND CAST(b.issued_at AS DATE) + 60 <= DATE '{data_date}';

CREATE OR REPLACE TABLE t_notice AS
SELECT 'NT' || substr(bill_id, 2) AS notice_id, customer_id, 'payment_reminder' AS kind, bill_id,
    at_hour(due_on + 1, 9.0) AS sent_at, 'sms' AS method, CAST(NULL AS TIMESTAMP) AS signed_at
FROM t_bill b WHERE kind IN ('regular', 'reissue') AND status = 'open' AND amount > 0 AND due_on + 1 <= DATE '{data_date}'
    AND NOT EXISTS (SELECT 1 FROM rc0 WHERE rc0.bill_id = b.bill_id AND rc0.day <= b.due_on);

-- :: status
-- receipts planted by hand do not say where they were taken in
UPDATE t_receipt r SET station_org = c.station_org, county_org = c.county_org, n = c.n
FROM c WHERE c.cid = r.customer_id AND r.station_org IS NULL;

CREATE OR REPLACE TABLE paid AS
SELECT bill_id, CAST(sum(amount) AS DECIMAL(18,2)) AS amount FROM t_receipt
WHERE bill_id IS NOT NULL AND kind IN ('payment', 'prepayment_use', 'reversal') GROUP BY bill_id;

CREATE OR REPLACE TABLE t_bill AS
SELECT b.* REPLACE (CASE WHEN b.status <> 'open' THEN b.status WHEN w.bill_id IS NOT NULL THEN 'written_off'
    WHEN b.amount <= coalesce(p.amount, 0) THEN 'paid' WHEN coalesce(p.amount, 0) > 0 THEN 'partly_paid' ELSE 'open' END AS status)
FROM t_bill b LEFT JOIN paid p USING (bill_id) LEFT JOIN t_write_off w USING (bill_id);

-- :: bank
CREATE OR REPLACE TABLE t_bank_statement AS
SELECT 'BS' || bank_reference AS statement_id, any_value(county_org) AS org_id, CAST(max(received_at) AS DATE) + 1 AS booked_on,
    CAST(sum(amount) AS DECIMAL(18,2)) AS amount, bank_reference AS reference,
    CASE WHEN bank_reference LIKE 'N%' THEN any_value(payer_name) END AS payer_name
FROM t_receipt WHERE bank_reference IS NOT NULL AND CAST(received_at AS DATE) < DATE '{data_date}' GROUP BY bank_reference;

CREATE OR REPLACE TABLE t_cash_deposit AS
WITH d AS (
    SELECT cashier_id, CAST(received_at AS DATE) AS day, CAST(sum(amount) AS DECIMAL(18,2)) AS amount, any_value(county_org) AS org_id
    FROM t_receipt WHERE instrument = 'cash' AND CAST(received_at AS DATE) < DATE '{data_date}' GROUP BY ALL
)
SELECT 'CD' || substr(cashier_id, 2) || strftime(day, '%Y%m%d') AS deposit_id, cashier_id, day AS business_day,
    at_hour(day + 1, 9.5) AS deposited_at, amount, 'BSCD' || substr(cashier_id, 2) || strftime(day, '%Y%m%d') AS statement_id,
    org_id
FROM d WHERE amount > 0;
INSERT INTO t_bank_statement
SELECT statement_id, org_id, business_day + 1, amount, deposit_id, '营业厅解款' FROM t_cash_deposit;

CREATE OR REPLACE TABLE t_prepayment_balance AS
WITH p AS (
    SELECT n, customer_id, CAST(date_trunc('month', received_at) + INTERVAL 9 DAY AS DATE) AS as_of, CAST(sum(CASE kind WHEN 'prepayment'
        THEN amount ELSE -amount END) AS DECIMAL(18,2)) AS moved
    FROM t_receipt SEMI JOIN (SELECT n FROM c WHERE pay = 'prepaid') x USING (n)
    WHERE kind IN ('prepayment', 'prepayment_use') GROUP BY ALL
)
SELECT customer_id, as_of, CAST(sum(moved) OVER (PARTITION BY customer_id ORDER BY as_of) AS DECIMAL(18,2)) AS balance FROM p;

-- :: books
CREATE OR REPLACE TABLE t_invoice AS
SELECT 'IV' || substr(bill_id, 2) AS invoice_id, bill_id, 'normal' AS kind,
    CASE WHEN c.hv THEN 'vat_special' ELSE 'vat_normal' END AS form, zeros(c.n, 8) || replace(billing_period, '-', '') AS number,
    t.name AS buyer_name, at_hour(CAST(issued_at AS DATE) + 1, 10.0) AS issued_at, amount, 'E' || county_org || 'K1' AS issued_by
FROM t_bill b JOIN c USING (n) JOIN t_customer t ON t.customer_id = b.customer_id
WHERE b.kind IN ('regular', 'reissue') AND b.status <> 'void' AND b.amount > 0 AND c.kind NOT IN ('home', 'pile', 'farm')
    AND CAST(issued_at AS DATE) < DATE '{data_date}';

CREATE OR REPLACE TABLE t_ledger_entry AS
WITH bills AS (
    SELECT c.station_org, CAST(issued_at AS DATE) AS day, CAST(sum(amount) AS DECIMAL(18,2)) AS amount
    FROM t_bill JOIN c USING (n) GROUP BY ALL
),
money AS (
    SELECT station_org, CAST(received_at AS DATE) AS day, CASE WHEN instrument = 'cash' THEN 'cash' ELSE 'bank' END AS account,
        CASE kind WHEN 'late_fee' THEN 'late_fee_income' WHEN 'prepayment' THEN 'prepayment' ELSE 'receivable' END AS against,
        CAST(sum(amount) AS DECIMAL(18,2)) AS amount
    FROM t_receipt WHERE kind NOT IN ('prepayment_use', 'transfer_in', 'transfer_out') GROUP BY ALL
),
purse AS (
    SELECT station_org, CAST(received_at AS DATE) AS day, CAST(sum(amount) AS DECIMAL(18,2)) AS amount
    FROM t_receipt WHERE kind = 'prepayment_use' GROUP BY ALL
)
SELECT 'GB' || station_org || strftime(day, '%Y%m%d') || s.side[1:1] AS entry_id, day AS posted_on, station_org AS org_id,
    s.account, s.side, amount, 'bill' AS source FROM bills, (VALUES ('debit', 'receivable'), ('credit', 'revenue')) s(side, account)
UNION ALL
SELECT 'GR' || station_org || strftime(day, '%Y%m%d') || s.side[1:1] || account[1:1] || against[1:1], day, station_org,
    CASE s.side WHEN 'debit' THEN account ELSE against END, s.side, amount, 'receipt'
FROM money, (VALUES ('debit'), ('credit')) s(side)
UNION ALL
SELECT 'GP' || station_org || strftime(day, '%Y%m%d') || s.side[1:1], day, station_org, s.account, s.side, amount, 'receipt'
FROM purse, (VALUES ('debit', 'prepayment'), ('credit', 'receivable')) s(side, account);
