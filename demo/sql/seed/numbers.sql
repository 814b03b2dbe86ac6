-- The numbers from 1 to the count, from as many digits as that has.
CREATE TEMP TABLE seed_numbers AS
SELECT
  number
FROM (
  SELECT
    CAST(1
{% for place in range(places) %}
      + {{ 10 ** place }} * place_{{ place }}.digit
{% endfor %}
      AS BIGINT) AS number
  FROM seed_digits AS place_0
{% for place in range(1, places) %}
  CROSS JOIN seed_digits AS place_{{ place }}
{% endfor %}
) AS counted
WHERE
  number <= {{ count }}
