{{ config(materialized='incremental', unique_key=['ship_id', 'arrived_at'], incremental_strategy='delete+insert') }}
{{ config(dist='ship_id', sort=['ship_id', 'arrived_at'], tags=['nightly', 'calls'], meta={'cdc': {'anchor': 'ship_id'}}) }}
{%- set where = ['1 = 1'] %}
{%- if is_incremental() %}{% do where.append('new') %}{% endif %}
-- One row per call, from {{ this.schema }}.{{ this.identifier }} on {{ target.name }} of {{ target.dbname }}.
SELECT
  calls.ship_id,
  calls.arrived_at,
  {%- for berth in berths() %}
  calls.{{ berth }}{{ ',' if not loop.last }}
  {%- endfor %}
FROM {{ ref('stg_calls') }} AS calls
LEFT JOIN {{ ref('harbour', 'stg_ships') }} AS ships ON ships.ship_id = calls.ship_id
LEFT JOIN {{ ref('stg_tree') }} AS tree ON tree.ship_id = calls.ship_id
LEFT JOIN {{ ref('flags') }} AS flags ON flags.code = ships.flag
LEFT JOIN {{ source('customs', 'ships') }} AS papers ON papers.id = ships.ship_id
WHERE {{ where | join(' AND ') }} -- {{ var('tides') }} {{ env_var('HARBOUR_LOG', 'quiet') }}
