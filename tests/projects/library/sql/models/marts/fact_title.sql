{{ config(unique_key='isbn', dist='isbn', sort=['isbn']) }}
{%- set shelved = config.get('materialized') == 'incremental' %}
-- One row per title, with its copies.
SELECT
  titles.isbn,
  titles.title,
  titles.author,
  copies.copies,
  {% if shelved %}copies.shelves{% else %}NULL AS shelves{% endif %}
FROM {{ source('stock', 'books') }} AS titles
LEFT JOIN (
  SELECT
    copies.isbn,
    COUNT(*) AS copies,
    COUNT(DISTINCT copies.shelf) AS shelves
  FROM {{ source('stock', 'copies') }} AS copies
  WHERE
    NOT copies.lost
  GROUP BY
    copies.isbn
) AS copies
  ON copies.isbn = titles.isbn
{%- if is_incremental() %}
WHERE
  titles.updated_at > (SELECT MAX(updated_at) FROM {{ this }})
{%- endif %}
