-- One row per loan of a reader.
SELECT
  loans.loan_no,
  loans.member_no,
  readers.name AS reader,
  loans.title,
  loans.genre,
  CASE
    WHEN loans.back_on IS NULL THEN 'out'
    {%- for days, label in [(0, 'in time'), (7, 'late'), (30, 'very late')] %}
    WHEN {{ days_late('loans') }} <= {{ days }} THEN '{{ label }}'
    {%- endfor %}
    ELSE 'reminded'
  END AS state,
  {{ fine('loans') }} AS fine,
  {{ library.fine('loans', per_day=100) }} AS fine_in_court,
  '{{ var("currency") }}' AS currency,
  loans.renewals
FROM {{ ref('library', 'stg_loans') }} AS loans
INNER JOIN {{ ref('readers') }} AS readers
  ON readers.member_no = loans.member_no
