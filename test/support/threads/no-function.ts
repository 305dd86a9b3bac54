export default { json: true }
