{{ config(pre_hook='SELECT 1', post_hook=['SELECT 2', {'sql': 'SELECT 3'}], grants={'+select': ['auditor'], 'insert': 'clerk'}) }}
SELECT ship_id, MAX(arrived_at) AS last_call FROM {{ ref('fact_call') }} GROUP BY ship_id
