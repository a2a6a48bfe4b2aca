-- :: chance
CREATE MACRO mix(h) AS xor(h, h >> 15);
CREATE MACRO rnd2(n, d, salt) AS CAST(mix((mix(
    (CAST(n AS UBIGINT) * 2654435761 + CAST(d AS UBIGINT) * 2246822519
     + CAST(salt AS UBIGINT) * 3266489917 + CAST({seed} AS UBIGINT) * 668265263 + 374761393) % 4294967296
    ) * 3266489917) % 4294967296) AS DOUBLE) / 4294967296.0;
CREATE MACRO rnd(n, salt) AS rnd2(n, 0, salt);
CREATE MACRO die(n, salt, faces) AS CAST(floor(rnd(n, salt) * faces) AS INTEGER);
CREATE MACRO bell(n, salt) AS (rnd(n, salt) + rnd(n, salt + 1) + rnd(n, salt + 2) - 1.5) * 2.0;
CREATE MACRO lognormal(n, salt, middle, sigma) AS middle * exp(bell(n, salt) * sigma);
CREATE MACRO within(x, low, high) AS least(greatest(x, low), high);
CREATE MACRO zeros(n, width) AS lpad(CAST(n AS VARCHAR), width, '0');
CREATE MACRO ym_of(d) AS strftime(CAST(d AS DATE), '%Y-%m');
CREATE MACRO at_hour(d, hours) AS CAST(d AS TIMESTAMP) + to_seconds(CAST(floor((hours) * 3600) AS BIGINT));
CREATE MACRO choose(word_list, u) AS word_list[1 + CAST(floor((u) * len(word_list)) AS INTEGER)];
CREATE MACRO kwh_of(x) AS CAST(x AS DECIMAL(18,2));
-- exact shares, half up: of a quantity to the hundredth, of a monthly charge to the fen
CREATE MACRO part_of(q, a, b) AS
    kwh_of(((2 * CAST(kwh_of(q) * 100 AS HUGEINT) * (a) + (b)) // nullif(2 * (b), 0)) * CAST(0.01 AS DECIMAL(3,2)));
CREATE MACRO by_days(q, price, days, base) AS
    kwh_of(((2 * CAST(CAST(CAST(q AS DECIMAL(10,2)) * price AS DECIMAL(30,8)) * 1000000 AS HUGEINT) * (days) + 10000 * (base))
    // (20000 * (base))) * CAST(0.01 AS DECIMAL(3,2)));
CREATE MACRO cny(quantity, price) AS CAST(round(CAST(quantity AS DECIMAL(10,2)) * price, 2) AS DECIMAL(18,2));
CREATE MACRO person(n) AS choose(
    ['王','李','张','刘','陈','杨','赵','黄','周','吴','徐','孙','胡','朱','高','林','何','郭','马','罗'], rnd(n, 901))
    || choose(['伟','芳','娜','秀英','敏','静','丽','强','磊','军','洋','勇','艳','杰','娟','涛','明','超','秀兰','霞',
               '平','刚','桂英','建国','文','辉','玲','建华','红','鹏'], rnd(n, 902));
CREATE MACRO place(n) AS choose(
    ['云','青','明','安','柳','石','河','金','龙','凤','白','清','东','南','西','北','长','新','太','永'], rnd(n, 903))
    || choose(['溪','川','岭','湖','山','桥','塘','坪','湾','林','泉','堰'], rnd(n, 904));
CREATE MACRO pf_percent(standard, pf) AS CASE
    WHEN pf >= standard THEN -CASE
        WHEN standard = 0.90 THEN least(0.15 * round((pf - 0.90) * 100), 0.75)
        WHEN pf <= 0.90 THEN 0.1 * round((pf - standard) * 100)
        ELSE least(0.1 * round((0.90 - standard) * 100) + 0.15 * round((pf - 0.90) * 100),
                   CASE WHEN standard = 0.85 THEN 1.1 ELSE 1.3 END) END
    WHEN round((standard - pf) * 100) <= 20 THEN 0.5 * round((standard - pf) * 100)
    WHEN round((standard - pf) * 100) <= 25 THEN 10 + (round((standard - pf) * 100) - 20)
    ELSE 15 + 2 * (round((standard - pf) * 100) - 25) END;
