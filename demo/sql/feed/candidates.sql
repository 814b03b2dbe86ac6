{# The keys that may be changed, in the order in which they are taken: drawn, or those that the window has staged. #}
{% set row = 'window_rows.id' if from_window else 'seed_numbers.number' %}
{% from 'macros.sql' import draw with context %}
{% if from_window %}
        SELECT
          window_rows.id,
          MIN({{ draw(kind ~ ' keys', 1000000) }}) AS pick_number
        FROM {{ source.staging | name }} AS window_rows
        INNER JOIN seed_window
          ON window_rows.updated_at > seed_window.start_at
        GROUP BY
          window_rows.id
{% else %}
        SELECT
          drawn.id,
          MIN(drawn.number) AS pick_number
        FROM (
          SELECT
            seed_numbers.number,
            {{ lowest_id }} + {{ draw(kind ~ ' keys', highest_id - lowest_id + 1) }} AS id
          FROM seed_numbers
          WHERE
            seed_numbers.number <= {{ candidates }}
        ) AS drawn
        GROUP BY
          drawn.id
{% endif %}
