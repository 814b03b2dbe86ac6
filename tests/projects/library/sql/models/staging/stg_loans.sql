{#- Loans with the title that was lent. -#}
SELECT
  {% for column in ['loan_no', 'member_no', 'lent_on', 'due_on', 'back_on', 'renewals'] -%}
  loans.{{ column }},
  {% endfor -%}
  copies.isbn,
  titles.title,
  titles.genre
FROM {{ source('desk', 'loans') }} AS loans
LEFT JOIN {{ source('stock', 'copies') }} AS copies
  ON copies.barcode = loans.barcode
LEFT JOIN {{ source('stock', 'books') }} AS titles
  ON titles.isbn = copies.isbn
