-- The SELECT of fact_loan on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__stg_loans AS (
  SELECT
    loans.loan_no,
    loans.member_no,
    loans.lent_on,
    loans.due_on,
    loans.back_on,
    loans.renewals,
    copies.isbn,
    titles.title,
    titles.genre
  FROM dev_library_raw.loans AS loans
  LEFT JOIN dev_library_raw.copies AS copies
    ON copies.barcode = loans.barcode
  LEFT JOIN dev_library_raw.titles AS titles
    ON titles.isbn = copies.isbn
), __dbt__cte__readers AS (
  /* Members who may borrow; accounts of the staff count in tests alone. */
  SELECT
    members.member_no,
    members.name,
    members.town,
    members.joined_on
  FROM dev_library_raw.members AS members
)
SELECT
  loans.loan_no,
  loans.member_no,
  readers.name AS reader,
  loans.title,
  loans.genre,
  CASE
    WHEN loans.back_on IS NULL
    THEN 'out'
    WHEN GREATEST(DATEDIFF(DAY, loans.due_on, loans.back_on), 0) <= 0
    THEN 'in time'
    WHEN GREATEST(DATEDIFF(DAY, loans.due_on, loans.back_on), 0) <= 7
    THEN 'late'
    WHEN GREATEST(DATEDIFF(DAY, loans.due_on, loans.back_on), 0) <= 30
    THEN 'very late'
    ELSE 'reminded'
  END AS state,
  CAST(GREATEST(DATEDIFF(DAY, loans.due_on, loans.back_on), 0) * 5 / 100.0 AS DECIMAL(10, 2)) AS fine,
  CAST(GREATEST(DATEDIFF(DAY, loans.due_on, loans.back_on), 0) * 100 / 100.0 AS DECIMAL(10, 2)) AS fine_in_court,
  'EUR' AS currency,
  loans.renewals
FROM __dbt__cte__stg_loans AS loans
INNER JOIN __dbt__cte__readers AS readers
  ON readers.member_no = loans.member_no
