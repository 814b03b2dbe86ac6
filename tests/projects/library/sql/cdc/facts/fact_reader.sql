-- The SELECT of fact_reader on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__readers AS (
  /* Members who may borrow; accounts of the staff count in tests alone. */
  SELECT
    members.member_no,
    members.name,
    members.town,
    members.joined_on
  FROM dev_library_raw.members AS members
), __dbt__cte__stg_loans AS (
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
)
SELECT
  readers.member_no,
  readers.name,
  readers.town,
  COUNT(loans.loan_no) AS loans,
  SUM(CASE WHEN loans.genre = 'novel' THEN 1 ELSE 0 END) AS novel_loans,
  SUM(CASE WHEN loans.genre = 'poetry' THEN 1 ELSE 0 END) AS poetry_loans,
  SUM(CASE WHEN loans.genre = 'travel' THEN 1 ELSE 0 END) AS travel_loans
FROM __dbt__cte__readers AS readers
LEFT JOIN __dbt__cte__stg_loans AS loans
  ON loans.member_no = readers.member_no
GROUP BY
  readers.member_no,
  readers.name,
  readers.town
