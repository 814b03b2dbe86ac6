{%- set genres = genre_columns() -%}
-- One row per reader, with a column for each genre.
SELECT
  readers.member_no,
  readers.name,
  readers.town,
  COUNT(loans.loan_no) AS loans
  {%- for genre in genres %},
  SUM(CASE WHEN loans.genre = '{{ genre.genre }}' THEN 1 ELSE 0 END) AS {{ genre.column }}
  {%- endfor %}
FROM {{ ref('readers') }} AS readers
LEFT JOIN {{ ref('stg_loans') }} AS loans
  ON loans.member_no = readers.member_no
GROUP BY
  readers.member_no,
  readers.name,
  readers.town
